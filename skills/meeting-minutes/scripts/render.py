"""From checked minutes to Markdown, and the proof that every item rests on words of the transcript."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Dict, List, Optional

from wire import refuse

WORDS = {
    "en": {
        "date": "Date", "present": "Present", "duration": "Length", "summary": "Summary", "topics": "Topics", "decisions": "Decisions",
        "actions": "Actions", "open": "Open points",
        "head": ["#", "Task", "Owner", "Due", "Source"], "nobody": "**owner missing**", "no_day": "**date missing**", "none": "None.", "unknown": "unknown",
        "line": "line {line}", "or": "or", "asked": "not confirmed", "comma": ", ", "colon": ": ",
    },
    "zh": {
        "date": "日期", "present": "出席", "duration": "时长", "summary": "摘要", "topics": "议题", "decisions": "决定", "actions": "待办", "open": "未决事项",
        "head": ["编号", "事项", "负责人", "截止", "出处"], "nobody": "**缺负责人**", "no_day": "**缺日期**", "none": "无。", "unknown": "未知",
        "line": "第 {line} 行", "or": "或", "asked": "未确认", "comma": "、", "colon": "：",
    },
}


def render(given: Dict[str, Any]) -> Dict[str, Any]:
    """The minutes as Markdown, with every problem found on the way."""
    minutes = given["minutes"]
    lang = given.get("lang") or minutes["meeting"].get("lang") or "en"
    problems = _check(minutes, given.get("transcript"))
    return {"ok": not problems, "problems": problems, "markdown": _markdown(minutes, given.get("summary", []), WORDS[lang])}


# --- checks -------------------------------------------------------------------------------------------------------


def _check(minutes: Dict[str, Any], transcript: Optional[str]) -> List[Dict[str, str]]:
    found: List[Dict[str, str]] = []
    names = {person["name"] for person in minutes["attendees"]}
    held = minutes["meeting"].get("date")
    meeting_day = _day(held, "input.minutes.meeting.date") if held else None
    rows = None if transcript is None else transcript.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    seen = set()
    for item in [*minutes["decisions"], *minutes["actions"], *minutes["open_points"]]:
        if item["id"] in seen:
            found.append(_problem(item, "twice", "this id is used twice"))
        seen.add(item["id"])
        if rows is not None:
            found += _evidence(item, rows)
    for action in minutes["actions"]:
        found += _check_action(action, names, meeting_day)
    return found


def _problem(item: Dict[str, Any], code: str, text: str) -> Dict[str, str]:
    return {"id": item["id"], "code": code, "text": text}


def _evidence(item: Dict[str, Any], rows: List[str]) -> List[Dict[str, str]]:
    line, quote = item["source"]["line"], item["source"]["quote"]
    if not 1 <= line <= len(rows):
        return [_problem(item, "no_such_line", f"the transcript has no line {line}")]
    if _plain(quote) not in _plain(rows[line - 1]):
        return [_problem(item, "not_in_transcript", f"line {line} does not say `{quote[:80]}`")]
    return []


def _plain(text: str) -> str:
    return "".join(re.sub(r"<[^>]{0,40}>", "", text).split()).casefold()


def _day(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise refuse(where, f"`{text}` is no calendar day") from error


def _check_action(action: Dict[str, Any], names: set, meeting_day: Optional[date]) -> List[Dict[str, str]]:
    found = []
    if action["owner"] is None:
        found.append(_problem(action, "owner_missing", "nobody is named; ask who does it"))
    elif action["owner"] not in names:
        found.append(_problem(action, "owner_unknown", f"`{action['owner']}` is not among the attendees"))
    day = (action["deadline"] or {}).get("date")
    if day is None:
        found.append(_problem(action, "deadline_missing", "no date is known; ask until when"))
        return found
    try:
        due = date.fromisoformat(day)
    except ValueError:
        return [*found, _problem(action, "deadline_wrong", f"`{day}` is no calendar day")]
    if meeting_day and due < meeting_day:
        found.append(_problem(action, "deadline_passed", f"{day} lies before the meeting"))
    return found


# --- text ---------------------------------------------------------------------------------------------------------


def _markdown(minutes: Dict[str, Any], summary: List[str], words: Dict[str, Any]) -> str:
    meeting = minutes["meeting"]
    people = words["comma"].join(_inline(person["name"]) for person in minutes["attendees"]) or words["unknown"]
    lines = [f"# {_inline(meeting['title'])}", ""]
    lines += [f"- {words['date']}{words['colon']}{meeting.get('date') or words['unknown']}", f"- {words['present']}{words['colon']}{people}"]
    if meeting.get("duration"):
        lines.append(f"- {words['duration']}{words['colon']}{meeting['duration']}")
    if summary:
        lines += ["", f"## {words['summary']}", "", *(f"- {_inline(line)}" for line in summary)]
    if minutes.get("topics"):
        lines += ["", f"## {words['topics']}", "", *(f"- {_inline(_capital(item['title']))} ({_place(item, words)})" for item in minutes["topics"])]
    lines += ["", f"## {words['decisions']}", ""]
    lines += [f"{number}. {_inline(item['text'])} ({_place(item['source'], words)})" for number, item in enumerate(minutes["decisions"], start=1)] or [words["none"]]
    lines += ["", f"## {words['actions']}", "", *_table(minutes["actions"], words)]
    lines += ["", f"## {words['open']}", ""]
    lines += [f"- {_inline(_capital(item['text']))} ({_place(item['source'], words)})" for item in minutes["open_points"]] or [words["none"]]
    return "\n".join(lines) + "\n"


def _table(actions: List[Dict[str, Any]], words: Dict[str, Any]) -> List[str]:
    if not actions:
        return [words["none"]]
    rows = [" | ".join(words["head"]), " | ".join("---" for _ in words["head"])]
    for action in actions:
        owner = _inline(action["owner"]) if action["owner"] else words["nobody"]
        if action["status"] == "asked":
            owner += f" ({words['asked']})"
        task, due, place = _inline(_capital(action["task"])), _due(action["deadline"], words), _place(action["source"], words)
        rows.append(" | ".join([_inline(action["id"]), task, owner, due, place]))
    return [f"| {row} |" for row in rows]


def _due(deadline: Optional[Dict[str, Any]], words: Dict[str, Any]) -> str:
    if deadline is None or deadline.get("date") is None:
        said = f" ({_inline(deadline['text'])})" if deadline else ""
        return words["no_day"] + said
    text = " ".join(part for part in (deadline["date"], deadline.get("time")) if part)
    if not deadline.get("certain", True):
        other = f" {words['or']} {deadline['alternative']}" if deadline.get("alternative") else ""
        text += f"{other} (“{_inline(deadline['text'])}”)"
    return text


def _place(place: Dict[str, Any], words: Dict[str, Any]) -> str:
    line = words["line"].format(line=place["line"])
    return f"{line}{words['comma']}{place['time']}" if place.get("time") else line


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _inline(text: str) -> str:
    """Foreign text on one line, with what Markdown and HTML would read as markup made harmless."""
    plain = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return re.sub(r"([\\`*_\[\]|<>])", r"\\\1", plain)
