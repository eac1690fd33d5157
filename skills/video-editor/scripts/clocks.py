"""Moments and lengths as whole milliseconds: `0:10`, `1:02:03.5`, `90s`, `1m30s`, `1分30秒`, `end-3s`."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Optional

from wire import refuse

_NUMBER = r"\d{1,5}(?:[.,]\d{1,3})?"
MOMENT = (  # as a pattern for the reader of instructions
    rf"(?:\d{{1,2}}:)?\d{{1,3}}:\d{{2}}(?:[.,]\d{{1,3}})?|(?:\d{{1,3}}\s*(?:h|小时)\s*)?(?:\d{{1,4}}\s*(?:m(?:in(?:utes?)?)?"
    rf"|分钟?)\s*)?第?{_NUMBER}\s*(?:seconds?|secs?|s|秒钟?)(?![a-z])"
    r"|\d{1,4}\s*(?:min(?:utes?)?|分钟?)(?![a-z])|end|start|beginning|结尾|结束|末尾|片尾|开头|开始|片头"
)
LENGTH = (
    rf"{_NUMBER}\s*(?:seconds?|secs?|s|秒钟?|ms|毫秒)(?![a-z])|\d{{1,4}}\s*(?:min(?:utes?)?|分钟?)(?![a-z])"
    rf"|(?:\d{{1,2}}:)?\d{{1,3}}:\d{{2}}(?:\.\d{{1,3}})?"
)
_CLOCK = re.compile(r"^(?:(\d{1,2}):)?(\d{1,3}):(\d{2})(?:[.,](\d{1,3}))?$")
_WORDS = re.compile(
    rf"^(?:(\d{{1,3}})\s*(?:h|小时)\s*)?(?:(\d{{1,4}})\s*(?:m(?:in(?:utes?)?)?|分钟?)\s*)?(?:第?({_NUMBER})\s*(?:seconds?|secs?|s"
    rf"|秒钟?)?)?$")
_START, _END = {"start", "beginning", "开头", "开始", "片头"}, {"end", "结尾", "结束", "末尾", "片尾"}
LONGEST = 24 * 3600 * 1000


def parse(text: str, where: str, duration: Optional[int] = None) -> int:
    """Milliseconds from a text; `end` and `end-3s` need the duration."""
    plain = text.strip().lower()
    if plain in _START:
        return 0
    head, minus, rest = plain.partition("-")
    if head.strip() in _END:
        if duration is None:
            raise refuse(where, f"`{text}` needs the source's duration")
        return duration - (parse(rest, where) if minus else 0)
    value = _clock(plain) if ":" in plain else _words(plain)
    if value is None:
        raise refuse(where, f"`{text}` is no time; write 0:10, 1:02:03.5, 90s or 1分30秒")
    if value > LONGEST:
        raise refuse(where, f"`{text}` is more than 24 hours")
    return value


def _clock(text: str) -> Optional[int]:
    match = _CLOCK.match(text)
    if match is None or int(match.group(3)) > 59 or (match.group(1) and int(match.group(2)) > 59):
        return None
    whole = (int(match.group(1) or 0) * 60 + int(match.group(2))) * 60 + int(match.group(3))
    return whole * 1000 + int((match.group(4) or "0").ljust(3, "0"))


def _words(text: str) -> Optional[int]:
    if text.endswith(("ms", "毫秒")):
        digits = re.sub(r"\s*(?:ms|毫秒)$", "", text)
        return int(Decimal(digits)) if re.fullmatch(r"\d{1,7}", digits) else None
    match = _WORDS.match(text)
    if match is None or not any(match.groups()):
        return None
    rest = int(Decimal((match.group(3) or "0").replace(",", ".")) * 1000)
    return (int(match.group(1) or 0) * 60 + int(match.group(2) or 0)) * 60_000 + rest


def written(milliseconds: int) -> str:
    """`0:10.000` or `1:02:03.500`."""
    whole, rest = divmod(milliseconds, 1000)
    hours, minutes, seconds = whole // 3600, whole // 60 % 60, whole % 60
    front = f"{hours}:{minutes:02d}" if hours else str(minutes)
    return f"{front}:{seconds:02d}.{rest:03d}"


def decimal(milliseconds: int) -> str:
    """Seconds with three decimals, as ffmpeg takes them."""
    return f"{milliseconds // 1000}.{milliseconds % 1000:03d}"


def srt(milliseconds: int) -> str:
    """HH:MM:SS,mmm."""
    whole, rest = divmod(milliseconds, 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d},{rest:03d}"
