"""Who said what, when and on which line: plain transcripts, meeting-tool exports, WebVTT and SubRip."""

from __future__ import annotations

import re
import unicodedata
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

CLOCK = r"(?:(\d{1,2}):)?(\d{1,2}):(\d{2})(?:[.,]\d+)?"
LABELS = {
    "note", "notes", "decision", "decisions", "decided", "action", "actions", "action item", "action items", "todo", "to-do", "ai", "next step", "next steps", "agenda",
    "topic", "date", "title", "subject", "time", "location", "place", "attendees", "participants", "present", "absent", "summary", "risk", "risks", "question", "open question",
    "open questions", "ps", "nb", "http", "https", "url", "owner", "deadline", "due", "update", "status", "result", "warning", "example", "re", "fwd", "meeting", "recording",
    "决定", "决议", "待办", "行动项", "任务", "下一步", "议题", "议程", "日期", "时间", "地点", "主题", "标题", "参会", "出席人", "出席人员", "参加人", "参加人员", "与会", "列席", "请假", "主持", "记录", "参会人", "参会人员", "与会者", "与会人员", "出席", "缺席", "备注", "总结",
    "风险", "问题", "结论", "负责人", "截止", "会议", "会议主题", "会议时间", "主持人", "记录人",
}
HEADERS = {
    "title": {"title", "subject", "meeting", "topic", "主题", "标题", "会议主题", "会议"},
    "date": {"date", "日期", "时间", "会议时间", "time", "recorded on"},
    "attendees": {"attendees", "participants", "present", "参会", "参会人", "参会人员", "参加人", "参加人员", "与会", "与会者", "与会人员", "出席", "出席人", "出席人员"},
}
_NAME = r"(?:@?[A-Za-z\u00c0-\u024f][\w.'’\-]*(?:\s+[A-Za-z0-9\u00c0-\u024f][\w.'’\-]*){0,3}|[\u4e00-\u9fff·]{1,8}\d{0,2})"
_SPOKEN = re.compile(rf"^\s*(?:[\[(]?{CLOCK}[\])]?\s*[-–—]?\s*)?({_NAME})\s*(?:[(（][^)）]{{1,40}}[)）])?\s*(?:[\[(（]?{CLOCK}[\])）]?)?\s*[:：]\s*(.*)$")
_HEADING = re.compile(rf"^\s*({_NAME})\s*(?:[(（][^)）\d]{{1,40}}[)）])?\s+[\[(（]?{CLOCK}[\])）]?\s*$|^\s*[\[(]?{CLOCK}[\])]?\s+({_NAME})\s*$")
_TIMED = re.compile(rf"^\s*[\[(]?{CLOCK}[\])]?\s+(.*)$")
_CUE = re.compile(rf"^\s*{CLOCK}\s*-->\s*{CLOCK}")
_VOICE = re.compile(r"^<v(?:\.[^ >]*)?\s+([^>]{1,80})>(.*?)(?:</v>)?$")
_LABEL = re.compile(r"^\s*([^:：]{1,20}?)\s*[:：]\s*(.+)$")


class Line(NamedTuple):
    """One spoken line; `number` counts the transcript's lines from one, `time` is seconds from the start."""

    number: int
    time: Optional[int]
    speaker: Optional[str]
    text: str


class Transcript(NamedTuple):
    """What was read: spoken lines, and facts from the heading lines."""

    lines: List[Line]
    headers: Dict[str, str]
    last_time: Optional[int]


def read(text: str, known: List[str]) -> Transcript:
    """Reads a transcript; `known` are names of people who are certainly meant when they stand before a colon."""
    rows = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if rows[0].lstrip("\ufeff").startswith("WEBVTT") or any(_CUE.match(row) for row in rows[:8]):
        lines = list(_captions(rows))
        return Transcript(lines, {}, _last_time(rows, lines))
    speakers = _speakers(rows, known)
    headers: Dict[str, str] = {}
    lines = list(_plain(rows, speakers, headers))
    return Transcript(lines, headers, _last_time(rows, lines))


def seconds(hours: Optional[str], minutes: str, rest: str) -> int:
    """Seconds from the parts of a clock reading."""
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(rest)


def clock(value: Optional[int]) -> Optional[str]:
    """HH:MM:SS."""
    return None if value is None else f"{value // 3600:02d}:{value // 60 % 60:02d}:{value % 60:02d}"


def _last_time(rows: List[str], lines: List[Line]) -> Optional[int]:
    ends = [seconds(*match.groups()[3:6]) for match in map(_CUE.match, rows) if match]
    times = [line.time for line in lines if line.time is not None] + ends
    return max(times) if times else None


def _captions(rows: List[str]) -> Iterator[Line]:
    """WebVTT and SubRip: a timing line, then text with `<v Name>` or `Name:` before it."""
    time: Optional[int] = None
    speaker: Optional[str] = None
    for number, row in enumerate(rows, start=1):
        cue = _CUE.match(row)
        if cue:
            time = seconds(*cue.groups()[:3])
            continue
        text = row.strip()
        if not text or text.isdigit() or time is None or text.startswith(("NOTE", "STYLE")):
            continue
        voice, spoken = _VOICE.match(text), _SPOKEN.match(text)
        if voice:
            speaker, text = voice.group(1).strip(), voice.group(2)
        elif spoken and not _is_label(spoken.group(4)):
            speaker, text = spoken.group(4), spoken.group(8)
        yield Line(number, time, speaker, re.sub(r"<[^>]{0,40}>", "", text).strip())


def _speakers(rows: List[str], known: List[str]) -> Tuple[set, bool]:
    """Names that open a spoken line, and whether most lines have that form."""
    counts: Dict[str, int] = {}
    sure = {fold(name) for name in known}
    shaped = filled = 0
    for row in rows:
        if not row.strip():
            continue
        filled += 1
        heading, spoken = _HEADING.match(row), _SPOKEN.match(row)
        if heading and not _is_label(heading.group(1) or heading.group(8)):
            sure.add(fold(heading.group(1) or heading.group(8)))
        elif spoken and not _is_label(spoken.group(4)):
            shaped += 1
            name = fold(spoken.group(4))
            counts[name] = counts.get(name, 0) + 1
            if spoken.group(3) or spoken.group(7):
                sure.add(name)
    mostly = shaped * 10 >= filled * 6
    return sure | {name for name, count in counts.items() if count > 1 or mostly}, mostly


def _is_label(name: str) -> bool:
    return fold(name) in LABELS


def fold(name: str) -> str:
    """A name for comparing: width, case, spaces and a leading @ folded."""
    return " ".join(unicodedata.normalize("NFKC", name).lstrip("@").casefold().split())


def _plain(rows: List[str], speakers: Tuple[set, bool], headers: Dict[str, str]) -> Iterator[Line]:
    names, _ = speakers
    speaker: Optional[str] = None
    time: Optional[int] = None
    started = False
    for number, row in enumerate(rows, start=1):
        if not row.strip():
            continue
        heading, spoken, timed = _HEADING.match(row), _SPOKEN.match(row), _TIMED.match(row)
        if heading and fold(heading.group(1) or heading.group(8)) in names:
            speaker, started = (heading.group(1) or heading.group(8)).strip(), True
            clock_parts = heading.groups()[1:4] if heading.group(1) else heading.groups()[4:7]
            time = seconds(*clock_parts)
        elif spoken and fold(spoken.group(4)) in names and not _is_label(spoken.group(4)):
            speaker, started = spoken.group(4).strip().lstrip("@"), True
            stamp = spoken.groups()[:3] if spoken.group(3) else spoken.groups()[4:7]
            time = seconds(*stamp) if stamp[2] else time
            if spoken.group(8).strip():
                yield Line(number, time, speaker, spoken.group(8).strip())
        elif not started and (_keep_header(row, headers) or _is_title(row, number, names, headers)):
            continue
        elif timed and timed.group(4).strip():
            time, started = seconds(*timed.groups()[:3]), True
            yield Line(number, time, speaker, timed.group(4).strip())
        else:
            yield Line(number, time, speaker, row.strip())


def _keep_header(row: str, headers: Dict[str, str]) -> bool:
    """Keeps a heading line such as `Date: 2025-06-11` or `# Weekly`; says whether it was one."""
    match = _LABEL.match(row.lstrip("#*- "))
    if match:
        label = fold(match.group(1).strip("*"))
        for key, words in HEADERS.items():
            if label in words:
                headers.setdefault(key, match.group(2).strip().strip("*").strip())
                return True
        return False
    if row.lstrip().startswith("#"):
        headers.setdefault("title", row.strip("# ").strip())
        return True
    return False


def _is_title(row: str, number: int, names: set, headers: Dict[str, str]) -> bool:
    """Whether a first line without a speaker names the meeting, in a transcript that has speakers."""
    if number > 3 or headers or not names or len(row.strip()) > 80:
        return False
    headers["title"] = row.strip().strip("*_ ")
    return True
