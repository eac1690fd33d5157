"""From a transcript to decisions, actions, open points, topics and dates, each with the line it rests on."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Dict, List, NamedTuple, Optional

import cues
import days
from people import People, Person
from transcript import Line, Transcript, clock, fold, read
from wire import refuse

ALIKE = 0.6
RECENT = 200
_BACK = re.compile(r"^(?:do|finish|handle|take care of|complete|send|get|have) (?:that|it|this)(?: (?:done|over|out))?$|^(?:弄|做|搞|完成|发)(?:好|完|一下)?$", re.IGNORECASE)


class Room(NamedTuple):
    """What every finding is read against."""

    people: People
    setting: days.Setting
    lines: List[Line]
    order: Dict[int, int]
    sentences: List[cues.Sentence]


def extract(given: Dict[str, Any]) -> Dict[str, Any]:
    """The draft minutes of one meeting."""
    meeting = given.get("meeting", {})
    named = [Person(raw["name"].strip(), tuple(raw.get("aliases", []))) for raw in meeting.get("attendees", [])]
    transcript = read(given["transcript"], [form for person in named for form in (person.name, *person.aliases)])
    if not transcript.lines:
        raise refuse("input.transcript", "holds no spoken line; give the text of the meeting")
    listed = [Person(name, ()) for name in re.split(r"\s*[,，、;；]\s*", transcript.headers.get("attendees", "")) if name]
    speakers = list(dict.fromkeys(line.speaker for line in transcript.lines if line.speaker))
    people = People(named or listed, speakers)
    lines = [line._replace(speaker=people.who(line.speaker) or line.speaker) if line.speaker else line for line in transcript.lines]
    warnings: List[Dict[str, Any]] = []
    base = _meeting_day(meeting, transcript, warnings)
    setting = days.Setting(
        base, frozenset(_day(text, f"input.meeting.holidays[{index}]") for index, text in enumerate(meeting.get("holidays", []))),
        given.get("next_weekday", "following_week"), given.get("numeric_dates", "mdy"),
    )
    order = {line.number: position for position, line in enumerate(lines)}
    room = Room(people, setting, lines, order, [sentence for line in lines for sentence in cues.sentences(line)])
    lang = given.get("lang") or _language(lines)
    actions = _actions(room, warnings)
    return {
        "meeting": {
            "title": meeting.get("title") or transcript.headers.get("title") or {"en": "Meeting", "zh": "会议"}[lang],
            "date": base.isoformat() if base else None, "lang": lang, "duration": clock(transcript.last_time),
        },
        "attendees": _attendees(people, lines),
        "topics": [{"title": found, **_place(sentence.line)} for sentence in room.sentences for found in [cues.topic(sentence.text)] if found],
        "decisions": _decisions(room),
        "actions": actions,
        "open_points": _open_points(room),
        "dates": _dates(room),
        "warnings": warnings,
    }


def _day(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise refuse(where, f"`{text}` is no calendar day; write YYYY-MM-DD") from error


def _meeting_day(meeting: Dict[str, Any], transcript: Transcript, warnings: List[Dict[str, Any]]) -> Optional[date]:
    if "date" in meeting:
        return _day(meeting["date"], "input.meeting.date")
    headings = [transcript.headers.get(name, "") for name in ("date", "title")]
    found = [mention.day for text in headings for mention in days.find(text, days.Setting(None)) if mention.day]
    if not found:
        warnings.append({"code": "no_meeting_date", "text": "the meeting's date is not known, so relative dates stay unresolved; give meeting.date", "line": None})
    return found[0] if found else None


def _language(lines: List[Line]) -> str:
    text = "".join(line.text for line in lines[:200])
    chinese = sum("\u4e00" <= char <= "\u9fff" for char in text)
    return "zh" if chinese * 4 > len(text) else "en"


def _attendees(people: People, lines: List[Line]) -> List[Dict[str, Any]]:
    answer = []
    for person in people.list:
        mine = [line for line in lines if line.speaker == person.name]
        words = sum(len(re.findall(r"[\w'’-]+", re.sub(r"[\u4e00-\u9fff]", " ", line.text))) + len(re.findall(r"[\u4e00-\u9fff]", line.text)) for line in mine)
        answer.append({"name": person.name, "aliases": list(person.aliases), "lines": len(mine), "words": words})
    return answer


def _place(line: Line) -> Dict[str, Any]:
    return {"line": line.number, "time": clock(line.time)}


def source(sentence: cues.Sentence) -> Dict[str, Any]:
    """Where a finding stands, with the words themselves."""
    return {**_place(sentence.line), "speaker": sentence.line.speaker, "quote": sentence.text}


# --- decisions and open points ------------------------------------------------------------------------------------


def _decisions(room: Room) -> List[Dict[str, Any]]:
    answer: List[Dict[str, Any]] = []
    for index, sentence in enumerate(room.sentences):
        text = cues.decision(sentence.text)
        if text is None:
            continue
        context = None
        if cues.is_bare(sentence.text) and index:
            before = next((room.sentences[at] for at in range(index - 1, -1, -1) if not cues.is_bare(room.sentences[at].text)), None)
            if before is not None:
                context, text = source(before), cues.proposal(before.text)
        if any(_alike(text, other["text"]) for other in answer[-RECENT:]):
            continue
        answer.append({"id": f"D{len(answer) + 1}", "text": text, "source": source(sentence), "context": context})
    return answer


def _open_points(room: Room) -> List[Dict[str, Any]]:
    answer: List[Dict[str, Any]] = []
    for sentence in room.sentences:
        text = cues.open_point(sentence.text)
        if text is None and cues.asks_for_somebody(sentence.text) and not _is_answered(sentence, room):
            text = sentence.text
        if text and not any(_alike(text, other["text"]) for other in answer[-RECENT:]):
            answer.append({"id": f"Q{len(answer) + 1}", "text": text, "source": source(sentence)})
    return answer


def _is_answered(question: cues.Sentence, room: Room) -> bool:
    """Whether somebody takes on what a question asks for, or is given it, in the next lines."""
    at = room.order[question.line.number]
    following = {line.number for line in room.lines[at + 1 : at + 4]}
    if cues.answer(room.lines[at + 1 : at + 2], None, question.line.speaker)[0] == "accepted":
        return True
    return any(task.owner for sentence in room.sentences if sentence.line.number in following for task in cues.tasks(sentence, room.people))


def _dates(room: Room) -> List[Dict[str, Any]]:
    answer = []
    for sentence in room.sentences:
        for mention in days.find(sentence.text, room.setting):
            answer.append({"text": mention.text, "date": mention.day.isoformat() if mention.day else None, "certain": mention.certain, **_place(sentence.line)})
    return answer


# --- actions ------------------------------------------------------------------------------------------------------


def _actions(room: Room, warnings: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    kept: List[Dict[str, Any]] = []
    for index, sentence in enumerate(room.sentences):
        for task in cues.tasks(sentence, room.people):
            action = _action(task, sentence, index, room, warnings)
            if action is not None and not _points_back(action, kept):
                _keep(action, kept)
    for number, action in enumerate(kept, start=1):
        action["id"] = f"A{number}"
        action["missing"] = [key for key in ("owner", "deadline") if action[key] is None]
        _warn(action, room, warnings)
    return kept


def _action(task: cues.Task, sentence: cues.Sentence, index: int, room: Room, warnings: List[Dict[str, Any]]) -> Optional[Dict[str, Any]]:
    owner, status = task.owner, task.status
    at = room.order[sentence.line.number]
    following = room.lines[at + 1 : at + 4]
    replies = [line.text for line in following if line.speaker == owner and _is_mostly_dates(line.text, room)]
    if task.rule == "request":
        taken, by = cues.answer(following, owner, sentence.line.speaker)
        if taken == "declined":
            text = f"{by} declined: {sentence.text}"
            warnings.append({"code": "declined", "text": text, "line": sentence.line.number})
            return None
        if taken:
            owner, status = owner or by, "accepted"
        replies = [line.text for line in following if line.speaker == owner]
    mention = _deadline(task.text, sentence, index, replies, room)
    if mention is None and task.rule in ("weak_self", "nobody", "stranger"):
        return None
    said = re.sub(r"\bme\b", sentence.line.speaker or "me", task.text) if task.rule == "request" else task.text
    text = _clean(said, [found.text for found in days.find(sentence.text, room.setting)] if mention else [])
    if len(text) < 3:
        return None
    return {
        "id": "", "task": text, "owner": owner, "status": status, "deadline": _written(mention) if mention else None,
        "source": {**source(sentence), "also": []}, "missing": [],
    }


def _is_mostly_dates(text: str, room: Room) -> bool:
    mentions = days.find(text, room.setting)
    return bool(mentions) and sum(mention.end - mention.start for mention in mentions) * 2 >= len(text)


def _deadline(clause: str, sentence: cues.Sentence, index: int, replies: List[str], room: Room) -> Optional[days.Mention]:
    """The date in the sentence, in the answer to it, or in a short sentence right after it."""
    near = [clause, sentence.text, *replies]
    after = room.sentences[index + 1] if index + 1 < len(room.sentences) else None
    if after is not None and after.line.speaker == sentence.line.speaker and _is_mostly_dates(after.text, room):
        near.append(after.text)
    for text in near:
        mentions = [mention for mention in days.find(text, room.setting) if not _past(mention, room)]
        marked = [mention for mention in mentions if mention.deadline]
        if mentions:
            return (marked or mentions)[-1]
    return None


def _past(mention: days.Mention, room: Room) -> bool:
    return mention.day is not None and room.setting.base is not None and mention.day < room.setting.base


def _written(mention: days.Mention) -> Dict[str, Any]:
    return {
        "date": mention.day.isoformat() if mention.day else None, "time": mention.time, "text": mention.text, "rule": mention.rule,
        "certain": mention.certain, "alternative": mention.alternative.isoformat() if mention.alternative else None,
    }


def _clean(text: str, dates: List[str]) -> str:
    for words in dates:
        text = text.replace(words, " ", 1)
    text = re.sub(r"\s+([,.;，。；、])", r"\1", re.sub(r"\s+", " ", text))
    text = re.sub(r"(?<=[\u4e00-\u9fff，。]) | (?=[\u4e00-\u9fff，。])", "", text)
    text = re.sub(r"^(?:please|also|then|请|来|去|会(?=把|给|在|尽)|负责(?=[\u4e00-\u9fff]{2}))\s*", "", text.strip(" ,.;:!?，。；：！？、-–—"), flags=re.IGNORECASE)
    return re.sub(r"[,，]\s*(?:ok(?:ay)?|right|please|thanks|好吗|吧|行吗|可以吗|好不好)$|(?<=[\u4e00-\u9fff])吧$", "", text, flags=re.IGNORECASE).strip(" ,.;:!?，。；：！？、-–—")


def _points_back(action: Dict[str, Any], kept: List[Dict[str, Any]]) -> bool:
    """Folds `can you do that by Thursday?` into the task that `that` means."""
    if not _BACK.match(action["task"]) or not kept:
        return False
    before = kept[-1]
    if before["owner"] not in (None, action["owner"]) or action["source"]["line"] - before["source"]["line"] > 6:
        return False
    before["owner"] = before["owner"] or action["owner"]
    before["deadline"] = before["deadline"] or action["deadline"]
    before["source"]["also"].append(action["source"]["line"])
    return True


def _keep(action: Dict[str, Any], kept: List[Dict[str, Any]]) -> None:
    """Adds an action, or folds it into the same one said before (a recap at the end of the meeting)."""
    for other in kept[-RECENT:]:
        same_owner = other["owner"] == action["owner"] or None in (other["owner"], action["owner"])
        if same_owner and _alike(other["task"], action["task"]):
            other["source"]["also"].append(action["source"]["line"])
            other["owner"] = other["owner"] or action["owner"]
            other["deadline"] = other["deadline"] or action["deadline"]
            if action["status"] == "accepted" or other["status"] == "asked":
                other["status"] = action["status"]
            return
    kept.append(action)


def _warn(action: Dict[str, Any], room: Room, warnings: List[Dict[str, Any]]) -> None:
    deadline, line = action["deadline"], action["source"]["line"]
    if deadline and deadline["date"] and not deadline["certain"]:
        other = f" or {deadline['alternative']}" if deadline["alternative"] else ""
        warnings.append({"code": "uncertain_date", "text": f"{action['id']}: `{deadline['text']}` read as {deadline['date']}{other}; ask", "line": line})
    if action["owner"] and action["owner"] not in {person.name for person in room.people.list}:
        warnings.append({"code": "owner_unknown", "text": f"{action['id']}: `{action['owner']}` is not among the attendees", "line": line})
    if action["status"] == "asked":
        warnings.append({"code": "not_confirmed", "text": f"{action['id']}: asked, but nobody said yes", "line": line})


def _tokens(text: str) -> set:
    words = set(re.findall(r"[a-z0-9]{3,}", text.lower())) - {"the", "and", "for", "with", "will", "that", "this"}
    chinese = re.sub(r"[^\u4e00-\u9fff]", "", text)
    return words | {chinese[index : index + 2] for index in range(len(chinese) - 1)}


def _alike(one: str, other: str) -> bool:
    if set(re.findall(r"\d+", one)) != set(re.findall(r"\d+", other)):
        return False
    first, second = _tokens(one), _tokens(other)
    if not first or not second:
        return fold(one) == fold(other)
    return len(first & second) >= ALIKE * min(len(first), len(second)) and len(first & second) >= ALIKE / 2 * max(len(first), len(second))
