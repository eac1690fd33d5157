"""From typed edits to a checked edit decision list: kept segments with speed and volume, fades, subtitles, frame."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import clocks
from wire import Problem, Refused, refuse

SHORTEST = 100
SEGMENTS = 400
SUBTITLE_LENGTH = 3000
SLOWEST, FASTEST = Fraction(1, 10), Fraction(16)


class Segment(NamedTuple):
    """A kept piece of the source, in milliseconds of the source."""

    start: int
    end: int
    speed: Fraction
    volume: str
    muted: bool

    @property
    def length(self) -> int:
        """Its length in the result."""
        return int(Fraction(self.end - self.start) / self.speed + Fraction(1, 2))


class Subtitle(NamedTuple):
    """A line of text in the result's time."""

    start: int
    end: int
    text: str


class Frame(NamedTuple):
    """What happens to the picture."""

    ratio: Optional[Tuple[int, int]]
    fit: str
    size: Optional[str]
    rotate: int
    flip: Optional[str]
    fps: Optional[str]


class Decisions(NamedTuple):
    """The whole edit decision list."""

    segments: List[Segment]
    subtitles: List[Subtitle]
    fade_in: int
    fade_out: int
    frame: Frame
    form: str
    duration: int
    notes: List[Dict[str, str]]


class Ranged(NamedTuple):
    """An edit that holds for a part of the source."""

    start: int
    end: int
    value: str


def decide(edits: List[Dict[str, Any]], duration: int) -> Decisions:
    """Checks all edits against the source and each other."""
    notes: List[Dict[str, str]] = []
    problems: List[Problem] = []
    ranges = {op: _ranges(edits, op, duration, problems) for op in ("keep", "cut", "speed", "volume", "mute")}
    if problems:
        raise Refused(*problems)
    for op in ("keep", "speed", "volume"):
        _no_overlap(ranges[op], op)
    kept = _kept(ranges["keep"], ranges["cut"], duration, notes)
    for op in ("speed", "volume", "mute"):
        _touches(ranges[op], kept, op)
    segments = _segments(kept, ranges, {op: _whole(edits, op) for op in ("speed", "volume", "mute")})
    total = sum(segment.length for segment in segments)
    if total < SHORTEST:
        raise refuse("input", f"nothing is left: the result would last {clocks.decimal(total)} s")
    subtitles = _subtitles(edits, segments, duration, total, notes)
    fade_in, fade_out = (_fade(edits, op, total) for op in ("fade_in", "fade_out"))
    if fade_in + fade_out > total:
        raise refuse("input", f"the fades ({clocks.decimal(fade_in)} s and {clocks.decimal(fade_out)} s) overlap: the result lasts {clocks.decimal(total)} s")
    return Decisions(segments, subtitles, fade_in, fade_out, _frame(edits), _one(edits, "format", "name") or "mp4", total, notes)


def _ranges(edits: List[Dict[str, Any]], op: str, duration: int, problems: List[Problem]) -> List[Ranged]:
    found = []
    for index, edit in enumerate(edits):
        if edit["op"] != op or (op not in ("keep", "cut") and "from" not in edit and "to" not in edit):
            continue
        where = f"input.edits[{index}]"
        start = clocks.parse(edit.get("from", "start"), f"{where}.from", duration)
        end = clocks.parse(edit.get("to", "end"), f"{where}.to", duration)
        if start < 0 or end > duration:
            late = edit.get("to", "end") if end > duration else edit.get("from", "start")
            problems.append(Problem(where, f"{op} reaches {late}, outside the source of {clocks.written(duration)}"))
        elif end <= start:
            problems.append(Problem(where, f"{op} ends ({clocks.written(end)}) before it starts ({clocks.written(start)})"))
        else:
            found.append(Ranged(start, end, _value(edit, op, where)))
    return sorted(found)


def _whole(edits: List[Dict[str, Any]], op: str) -> Optional[str]:
    """The value of an edit that holds for the whole video; edits of a range go before it."""
    values = {_value(edit, op, f"input.edits[{index}]") for index, edit in enumerate(edits) if edit["op"] == op and "from" not in edit and "to" not in edit}
    if len(values) > 1:
        raise refuse("input", f"two different {op} edits hold for the whole video: {' and '.join(sorted(values))}")
    return next(iter(values), None)


def _value(edit: Dict[str, Any], op: str, where: str) -> str:
    if op == "speed":
        factor = Fraction(Decimal(edit["factor"]))
        if not SLOWEST <= factor <= FASTEST:
            raise refuse(f"{where}.factor", f"speed {edit['factor']} is outside 0.1 to 16")
        return edit["factor"]
    if op == "volume":
        match = re.fullmatch(r"([+-]?\d{1,3}(?:\.\d)?)(%|db)", edit["level"].lower())
        if match is None or (match.group(2) == "%" and not 0 <= Decimal(match.group(1)) <= 400) or (match.group(2) == "db" and not -60 <= Decimal(match.group(1)) <= 20):
            raise refuse(f"{where}.level", f"`{edit['level']}` is no volume; write 0% to 400% or -60dB to +20dB")
        return f"{Decimal(match.group(1)) / 100}" if match.group(2) == "%" else f"{match.group(1).lstrip('+')}dB"
    return ""


def _no_overlap(ranges: List[Ranged], op: str) -> None:
    for one, other in zip(ranges, ranges[1:]):
        if other.start < one.end:
            raise refuse("input", f"two {op} edits overlap: {_span(one.start, one.end)} and {_span(other.start, other.end)}")


def _span(start: int, end: int) -> str:
    return f"{clocks.written(start)}–{clocks.written(end)}"


def _kept(keep: List[Ranged], cut: List[Ranged], duration: int, notes: List[Dict[str, str]]) -> List[Tuple[int, int]]:
    pieces = [(item.start, item.end) for item in keep] or [(0, duration)]
    for one, other in zip(cut, cut[1:]):
        if other.start < one.end:
            notes.append({"code": "cuts_overlap", "text": f"{_span(one.start, one.end)} and {_span(other.start, other.end)} overlap and are cut as one"})
    for item in cut:
        pieces = [piece for start, end in pieces for piece in ((start, min(end, item.start)), (max(start, item.end), end)) if piece[0] < piece[1]]
    if not pieces:
        raise refuse("input", "nothing is left after the cuts")
    return pieces


def _touches(ranges: List[Ranged], kept: List[Tuple[int, int]], op: str) -> None:
    for item in ranges:
        if not any(start < item.end and item.start < end for start, end in kept):
            raise refuse("input", f"{op} {_span(item.start, item.end)} lies in a part that is cut")


def _segments(kept: List[Tuple[int, int]], ranges: Dict[str, List[Ranged]], whole: Dict[str, Optional[str]]) -> List[Segment]:
    """The kept pieces, divided wherever speed or sound changes."""
    marks = sorted({mark for op in ("speed", "volume", "mute") for item in ranges[op] for mark in (item.start, item.end)})
    found = []
    for start, end in kept:
        inner = [start, *(mark for mark in marks if start < mark < end), end]
        for first, last in zip(inner, inner[1:]):
            speed, volume = _at(ranges["speed"], first) or whole["speed"] or "1", _at(ranges["volume"], first) or whole["volume"] or "1"
            muted = whole["mute"] is not None or _at(ranges["mute"], first) is not None
            found.append(Segment(first, last, Fraction(Decimal(speed)), volume, muted))
    if len(found) > SEGMENTS:
        raise refuse("input", f"makes {len(found)} pieces; at most {SEGMENTS} can be joined at once")
    return [segment for segment in found if segment.length > 0]


def _at(ranges: List[Ranged], moment: int) -> Optional[str]:
    return next((item.value for item in ranges if item.start <= moment < item.end), None)


def mapped(moment: int, segments: List[Segment], closing: bool = False) -> Optional[int]:
    """Where a moment of the source is in the result; None when it is cut. A closing moment may be a piece's very end."""
    passed = 0
    for segment in segments:
        if segment.start <= moment < segment.end or (closing and segment.start < moment == segment.end):
            return passed + int(Fraction(moment - segment.start) / segment.speed)
        passed += segment.length
    return passed if segments and moment == segments[-1].end else None


def _subtitles(edits: List[Dict[str, Any]], segments: List[Segment], duration: int, total: int, notes: List[Dict[str, str]]) -> List[Subtitle]:
    found = []
    for index, edit in enumerate(edits):
        if edit["op"] != "subtitle":
            continue
        where = f"input.edits[{index}]"
        start = _placed(edit["at"], f"{where}.at", segments, duration)
        if "to" in edit:
            end = _placed(edit["to"], f"{where}.to", segments, duration, closing=True)
        else:
            end = start + (clocks.parse(edit["for"], f"{where}.for") if "for" in edit else SUBTITLE_LENGTH)
        if end > total:
            notes.append({"code": "subtitle_shortened", "text": f"“{edit['text'][:40]}” ends with the video at {clocks.written(total)}"})
            end = total
        if end <= start:
            raise refuse(where, f"the subtitle “{edit['text'][:40]}” has no time to show")
        found.append(Subtitle(start, end, edit["text"]))
    found.sort()
    for one, other in zip(found, found[1:]):
        if other.start < one.end:
            raise refuse("input", f"the subtitles “{one.text[:40]}” and “{other.text[:40]}” overlap at {clocks.written(other.start)} of the result; give `for` or `to`")
    return found


def _placed(text: str, where: str, segments: List[Segment], duration: int, closing: bool = False) -> int:
    moment = clocks.parse(text, where, duration)
    if moment > duration:
        raise refuse(where, f"{text} is outside the source of {clocks.written(duration)}")
    place = mapped(moment, segments, closing)
    if place is None:
        raise refuse(where, f"{text} of the source is cut; a subtitle cannot stand there")
    return place


# --- fades, frame, format -----------------------------------------------------------------------------------------


def _one(edits: List[Dict[str, Any]], op: str, key: str) -> Optional[str]:
    """The value of an edit that may be given once."""
    values = [edit[key] for edit in edits if edit["op"] == op]
    if len(set(map(str, values))) > 1:
        raise refuse("input", f"{op} is given twice: {values[0]} and {values[1]}")
    return values[0] if values else None


def _fade(edits: List[Dict[str, Any]], op: str, total: int) -> int:
    text = _one(edits, op, "for")
    length = clocks.parse(text, f"input.{op}") if text else 0
    if length > total:
        raise refuse("input", f"{op} of {clocks.decimal(length)} s is longer than the result of {clocks.decimal(total)} s")
    return length


def _frame(edits: List[Dict[str, Any]]) -> Frame:
    ratio = _one(edits, "aspect", "ratio")
    parts = tuple(int(part) for part in ratio.split(":")) if ratio else None
    if parts and (0 in parts or not Fraction(1, 4) <= Fraction(parts[0], parts[1]) <= 4):
        raise refuse("input", f"aspect {ratio} is outside 1:4 to 4:1")
    size = _one(edits, "resize", "size")
    if size and not _size_ok(size):
        raise refuse("input", f"size {size} is outside 16 to 4320 pixels")
    fps = _one(edits, "fps", "rate")
    if fps and not 1 <= Decimal(fps) <= 120:
        raise refuse("input", f"{fps} frames a second is outside 1 to 120")
    degrees = sum(edit["degrees"] for edit in edits if edit["op"] == "rotate") % 360
    fit = next((edit.get("fit", "crop") for edit in edits if edit["op"] == "aspect"), "crop")
    return Frame(parts, fit, size, degrees, _one(edits, "flip", "axis"), fps)  # type: ignore[arg-type]


def _size_ok(size: str) -> bool:
    numbers = [int(number) for number in re.findall(r"\d+", size)]
    return all(16 <= number <= 4320 or (len(numbers) == 2 and number <= 7680) for number in numbers)


def as_json(decisions: Decisions) -> Dict[str, Any]:
    """The list for people and programs; times in milliseconds."""
    frame = decisions.frame
    return {
        "segments": [
            {**item._asdict(), "speed": f"{float(item.speed):g}", "length": item.length} for item in decisions.segments
        ],
        "subtitles": [item._asdict() for item in decisions.subtitles],
        "fade_in": decisions.fade_in, "fade_out": decisions.fade_out,
        "frame": {**frame._asdict(), "ratio": f"{frame.ratio[0]}:{frame.ratio[1]}" if frame.ratio else None},
        "format": decisions.form, "duration": decisions.duration,
    }
