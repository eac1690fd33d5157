"""Dates as people say them in a meeting, resolved against the meeting's day: `next Friday`, `in two weeks`, `下周五`, `月底`."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, timedelta
from typing import Callable, FrozenSet, List, Match, NamedTuple, Optional, Tuple

WEEKDAYS = {"mon": 0, "tue": 1, "wed": 2, "thu": 3, "fri": 4, "sat": 5, "sun": 6}
MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)}
NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12}
CHINESE_DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
CHINESE_WEEKDAYS = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6, "末": 6}


class Setting(NamedTuple):
    """Against what words are resolved."""

    base: Optional[date]
    holidays: FrozenSet[date] = frozenset()
    next_weekday: str = "following_week"
    numeric: str = "mdy"


class Found(NamedTuple):
    """A resolved day; `alternative` is the other reading when people differ about the words."""

    day: date
    rule: str
    certain: bool = True
    alternative: Optional[date] = None


class Mention(NamedTuple):
    """A date in a text; `start` and `end` include words such as `by` and `之前`."""

    start: int
    end: int
    text: str
    day: Optional[date]
    time: Optional[str]
    rule: str
    certain: bool
    alternative: Optional[date]
    deadline: bool


Rule = Tuple["re.Pattern[str]", str, Callable[[Match[str], Setting, date], Optional[Found]]]
RULES: List[Rule] = []
FIXED = {"iso", "year_month_day", "month_day_year"}


def _rule(name: str, pattern: str, flags: int = re.IGNORECASE) -> Callable[[Callable[..., Optional[Found]]], Callable[..., Optional[Found]]]:
    def keep(work: Callable[..., Optional[Found]]) -> Callable[..., Optional[Found]]:
        RULES.append((re.compile(pattern, flags), name, work))
        return work

    return keep


def _safe(year: int, month: int, day: int) -> Optional[date]:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def chinese_number(text: str) -> Optional[int]:
    """1 to 99 in digits or in Chinese words."""
    if text.isdigit():
        return int(text)
    if "十" in text:
        tens, _, ones = text.partition("十")
        high, low = CHINESE_DIGITS.get(tens, 1 if not tens else -1), CHINESE_DIGITS.get(ones, 0 if not ones else -1)
        return high * 10 + low if high >= 0 and low >= 0 else None
    return CHINESE_DIGITS.get(text)


def _number(text: str) -> Optional[int]:
    text = text.lower()
    return int(text) if text.isdigit() else NUMBERS.get(text, chinese_number(text))


def _plus(base: date, days: int) -> Optional[date]:
    try:
        return base + timedelta(days=days)
    except OverflowError:
        return None


def _month_end(year: int, month: int) -> Optional[date]:
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return _safe(year, month, monthrange(year, month)[1]) if 1 <= year <= 9999 else None


def _monday(base: date) -> date:
    return base - timedelta(days=base.weekday())


def _coming(base: date, weekday: int) -> Found:
    """The next such weekday after the meeting's day; said on that very weekday it may also mean today."""
    step = (weekday - base.weekday() - 1) % 7 + 1
    same = step == 7
    return Found(base + timedelta(days=step), "coming_weekday", not same, base if same else None)


def working_days(base: date, count: int, holidays: FrozenSet[date]) -> date:
    """The day that lies `count` working days after `base`; Saturdays, Sundays and holidays do not count."""
    day = base
    while count > 0:
        day += timedelta(days=1)
        if day.weekday() < 5 and day not in holidays:
            count -= 1
    return day


# --- written-out dates -------------------------------------------------------------------------------------------

_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?"
    r"|dec(?:ember)?)\b(?:\.(?=\s*\d))?"
)


@_rule("iso", r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
@_rule("year_month_day", r"(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]?")
def _full(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    day = _safe(*(int(part) for part in match.groups()))
    return Found(day, "full_date") if day else None


@_rule("month_day_year", rf"\b{_MONTH}\s+(\d{{1,2}})(?:st|nd|rd|th)?\b,?\s+(\d{{4}})\b")
def _month_day_year(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    day = _safe(int(match.group(3)), MONTHS[match.group(1)[:3].lower()], int(match.group(2)))
    return Found(day, "full_date") if day else None


@_rule("month_day_year", rf"\b(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH},?\s+(\d{{4}})\b")
def _day_month_year(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    day = _safe(int(match.group(3)), MONTHS[match.group(2)[:3].lower()], int(match.group(1)))
    return Found(day, "full_date") if day else None


def _nearest(month: int, day: int, base: date) -> Optional[Found]:
    """A day without a year: the coming one, or the past one when that is less than two months ago."""
    options = [found for found in (_safe(base.year + shift, month, day) for shift in (-1, 0, 1)) if found]
    recent = [found for found in options if found >= base - timedelta(days=60)]
    if not recent:
        return None
    return Found(recent[0], "month_day", recent[0] >= base, None if recent[0] >= base or len(recent) < 2 else recent[1])


@_rule("month_day", rf"\b{_MONTH}\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?!:|\s*(?:am|pm|percent|people|%))")
def _month_day(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    return _nearest(MONTHS[match.group(1)[:3].lower()], int(match.group(2)), base)


@_rule("month_day", rf"\b(?:the\s+)?(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}")
def _day_month(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    return _nearest(MONTHS[match.group(2)[:3].lower()], int(match.group(1)), base)


@_rule("month_day", r"(?<![\d一二三四五六七八九十])(\d{1,2}|[一二三四五六七八九十]{1,2})\s*月\s*(\d{1,2}|[一二三四五六七八九十]{1,3})\s*[日号]")
def _chinese_month_day(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    month, day = chinese_number(match.group(1)), chinese_number(match.group(2))
    return _nearest(month, day, base) if month and day and month <= 12 else None


@_rule("numeric", r"(?<![\d/.])(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?(?![\d/])")
def _numeric(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    first, second, year = int(match.group(1)), int(match.group(2)), match.group(3)
    full = None if year is None else int(year) + (2000 if len(year) == 2 else 0)

    def read(month: int, day: int) -> Optional[Found]:
        if full is None:
            return _nearest(month, day, base) if 1 <= month <= 12 else None
        found = _safe(full, month, day)
        return Found(found, "numeric") if found else None

    orders = [(first, second), (second, first)] if setting.numeric == "mdy" else [(second, first), (first, second)]
    readings = [found for found in (read(*order) for order in orders) if found]
    if not readings:
        return None
    other = readings[1].day if len(readings) > 1 and readings[1].day != readings[0].day else None
    return Found(readings[0].day, "numeric", other is None, other)


def _day_of_month(day: int, shift: int, base: date) -> Optional[date]:
    month_end = _month_end(base.year, base.month + shift)
    return _safe(month_end.year, month_end.month, day) if month_end else None


@_rule("day_of_month", r"\bthe\s+(\d{1,2})(?:st|nd|rd|th)\b(?!\s+(?:of|item|point|time|floor|quarter|version|step|one))")
@_rule("day_of_month", r"(?<![\d月第\-.:])(?:(本|这个|下个?)月)?\s*(\d{1,2})[日号](?!楼|线|机|文件|位|店|产品|方案|会议室)")
def _the_day(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    said = match.group(1) if match.re.groups == 2 else None
    number = int(match.group(match.re.groups))
    if said:
        day = _day_of_month(number, 1 if said.startswith("下") else 0, base)
    else:
        day = _day_of_month(number, 0, base)
        if day is None or day < base:
            day = _day_of_month(number, 1, base)
    return Found(day, "day_of_month") if day else None


# --- relative days ------------------------------------------------------------------------------------------------


@_rule("relative_day", r"\b(day after tomorrow|tomorrow|today|tonight|yesterday|EOD|COB|end of (?:the )?(?:business )?day|close of business)\b")
def _english_day(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    step = {"day after tomorrow": 2, "tomorrow": 1, "yesterday": -1}.get(match.group(1).lower(), 0)
    day = _plus(base, step)
    return Found(day, "relative_day") if day else None


@_rule("relative_day", r"(大后天|后天|明天|明日|明早|明晚|今天|今日|今晚|今早|昨天|前天)")
def _chinese_day(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    step = {"大后天": 3, "后天": 2, "昨天": -1, "前天": -2}.get(match.group(1), 1 if match.group(1)[0] == "明" else 0)
    day = _plus(base, step)
    return Found(day, "relative_day") if day else None


@_rule("in_some_time",
    r"\b(?:in|within)\s+(?:the\s+next\s+)?(\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve)\s+(business |working )?(day|week"
    r"|month|fortnight)s?\b(?:\s+(?:from now|time))?")
@_rule("in_some_time",
    r"\b(\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve)\s+(business |working )?(day|week|month|fortnight)s?\s+from\s+(?:now"
    r"|today)\b")
def _in_some_time(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    count, working, unit = _number(match.group(1)), match.group(2), match.group(3).lower()
    if count is None:
        return None
    return _after(base, count, "working" if working else unit, setting)


@_rule("in_some_time", r"(\d{1,3}|[一二两三四五六七八九十]{1,3})\s*个?\s*(工作日|天|日|周|星期|礼拜|月)\s*(?:之?后|之?内|以内|以后)")
def _chinese_in_some_time(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    count = chinese_number(match.group(1))
    units = {"工作日": "working", "天": "day", "日": "day", "月": "month"}
    return None if count is None else _after(base, count, units.get(match.group(2), "week"), setting)


def _after(base: date, count: int, unit: str, setting: Setting) -> Optional[Found]:
    if unit == "working":
        return Found(working_days(base, count, setting.holidays), "working_days") if count <= 260 else None
    if unit == "month":
        end = _month_end(base.year, base.month + count)
        return Found(date(end.year, end.month, min(base.day, end.day)), "in_some_time") if end else None
    day = _plus(base, count * {"day": 1, "week": 7, "fortnight": 14}[unit])
    return Found(day, "in_some_time") if day else None


# --- weekdays and weeks -------------------------------------------------------------------------------------------

_WEEKDAY = r"(mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|saturday|sunday|Sat|Sun)\b"


@_rule("week_after", rf"\b(?:a week (?:from|on)\s+(?:this\s+|next\s+)?{_WEEKDAY}|{_WEEKDAY}\s+week\b)")
def _week_after(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    coming = _coming(base, WEEKDAYS[(match.group(1) or match.group(2))[:3].lower()])
    return Found(coming.day + timedelta(days=7), "week_after_weekday", coming.certain, coming.day if not coming.certain else None)


@_rule("weekday", rf"\b(?:(this|next|coming|last)\s+(week(?:'s)?\s+(?:on\s+)?)?)?{_WEEKDAY}(?:\s+(next|this)\s+week\b)?")
def _weekday(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    word, name, week = (match.group(1) or "").lower(), match.group(3), (match.group(4) or "").lower()
    if match.group(2) and word in ("this", "next"):
        week = word
    if name.lower() in WEEKDAYS and not name[0].isupper():
        return None  # `sat`, `sun`, `wed` in small letters are other words
    number = WEEKDAYS[name[:3].lower()]
    coming = _coming(base, number)
    if week:
        return Found(_monday(base) + timedelta(days=(7 if week == "next" else 0) + number), "weekday_of_named_week")
    if word == "last":
        return Found(coming.day - timedelta(days=7 if coming.certain else 14), "last_weekday")
    if word == "this":
        mine = _monday(base) + timedelta(days=number)
        return Found(mine, "weekday_of_this_week") if mine >= base else Found(coming.day, "coming_weekday", False, mine)
    if word == "next":
        following = _monday(base) + timedelta(days=7 + number)
        if following == coming.day:
            return Found(following, "weekday_of_next_week")
        first, other = (following, coming.day) if setting.next_weekday == "following_week" else (coming.day, following)
        return Found(first, "weekday_of_next_week" if first == following else "coming_weekday", False, other)
    return coming


@_rule("weekday", r"(下下个?|下个?|本|这个?|上个?)?(?:周|星期|礼拜)([一二三四五六日天末]|[1-7](?!\d))(?![周期个])")
def _chinese_weekday(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    word, name = match.group(1) or "", match.group(2)
    number = int(name) - 1 if name.isdigit() else CHINESE_WEEKDAYS[name]
    if not word:
        return _coming(base, number)
    weeks = -1 if word[0] == "上" else word.count("下")
    day = _plus(_monday(base), 7 * weeks + number)
    if day is None:
        return None
    return Found(day, "weekday_of_named_week", weeks != 0 or day >= base)


@_rule("week",
    r"\b(?:(?:the\s+)?end of\s+(?:the\s+)?|later\s+|early\s+|mid\s*-?\s*)?(this|next|the|the following)\s+week\b(?!\s+(?:after|on|end))|\bEOW\b"
    r"|\bend of (?:the )?week\b|\b(?:the )?week after next\b")
def _week(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    text = match.group(0).lower()
    weeks = 2 if "after next" in text else 1 if "next" in text or "following" in text else 0
    if text == "the week":
        return None
    friday = _monday(base) + timedelta(days=7 * weeks + 4)
    if friday < base:
        friday += timedelta(days=7)
    return Found(friday, "end_of_week", "end of" in text or "eow" in text)


@_rule("week", r"(下下个?|下个?|本|这个?)(?:周|星期|礼拜)(?:之?内|底)?(?![一二三四五六日天末\d])")
def _chinese_week(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    friday = _plus(_monday(base), 7 * match.group(1).count("下") + 4)
    if friday is None:
        return None
    if friday < base:
        friday = base
    return Found(friday, "end_of_week", match.group(0)[-1] in "内底")


# --- months, quarters, years --------------------------------------------------------------------------------------


@_rule("month", r"\b(?:end of (?:(this|the|next) )?month|month[- ]end|EOM)\b")
def _month(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    end = _month_end(base.year, base.month + ((match.group(1) or "").lower() == "next"))
    return Found(end, "end_of_month") if end else None


@_rule("month", rf"\bend of {_MONTH}(?!\s+\d)")
def _named_month(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    month = MONTHS[match.group(1)[:3].lower()]
    end = _month_end(base.year + (month < base.month), month)
    return Found(end, "end_of_month") if end else None


@_rule("month", r"(本|这个|下个?)?月(底|末|初|中旬|上旬|下旬)")
def _chinese_month(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    end = _month_end(base.year, base.month + ((match.group(1) or "").startswith("下")))
    part = match.group(2)
    if end is None or part in ("底", "末", "下旬"):
        return Found(end, "end_of_month", part != "下旬") if end else None
    day = date(end.year, end.month, 20 if part == "中旬" else 10)
    return Found(day, "part_of_month", False) if day >= base or match.group(1) else None


@_rule("quarter", r"\b(?:end of |by (?:the end of )?)Q([1-4])\b|\bQ([1-4])\s*(?:季度)?(?:末|底)|\b(?:end of (?:the )?quarter|EOQ)\b|(?:本?季度?末|本?季度底)")
def _quarter(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    named = match.group(1) or match.group(2)
    quarter = int(named) if named else (base.month + 2) // 3
    end = _month_end(base.year, quarter * 3)
    if end and end < base:
        end = _month_end(base.year + 1, quarter * 3)
    return Found(end, "end_of_quarter") if end else None


@_rule("year", r"\b(?:end of (?:the |this )?year|year[- ]end|EOY)\b|今?年底|年末")
def _year(match: Match[str], setting: Setting, base: date) -> Optional[Found]:
    return Found(date(base.year, 12, 31), "end_of_year")


# --- finding them in a text ---------------------------------------------------------------------------------------

_BEFORE = re.compile(
    r"(?:\b(?:no later than|not later than|on or before|due (?:by|on)?|by|before|until|till)\s+(?:the\s+)?|\bdue\s+|(?:最晚|最迟|截止到?"
    r"|在)\s*)$", re.IGNORECASE)
_LOOSE_BEFORE = re.compile(r"\b(?:on|for|at|starting)\s+(?:the\s+)?$", re.IGNORECASE)
_AFTER = re.compile(r"\s*(?:之前|以前|前(?!面|端|期|台|提(?!交|供|醒|出|升|测)|置|一)|截止|为止|之内|以内|内(?!容|部|存|测|网))")
_TIME_AFTER = re.compile(
    r",?\s*(?:at\s+|by\s+)?(\d{1,2})(?::(\d{2}))?\s*(am|pm|a\.m\.|p\.m\.)|\s*(上午|中午|下午|晚上|早上)?\s*(\d{1,2}|[一二两三四五六七八九十]{1,2})\s*[点:](半|\d{2}"
    r"|\d{1,2}分)?|\s*(上午|中午|下午|晚上|早上|morning|afternoon|evening|noon)", re.IGNORECASE)
_TIME_BEFORE = re.compile(r"(?:\bat\s+|\bby\s+)?\b(\d{1,2})(?::(\d{2}))?\s*(am|pm)\s*(?:on\s+)?$", re.IGNORECASE)


def find(text: str, setting: Setting) -> List[Mention]:
    """Every date in the text, in order, without overlaps; longer readings win."""
    base = setting.base or date(2000, 1, 1)
    hits: List[Tuple[int, int, str, Optional[Found]]] = []
    for pattern, name, work in RULES:
        for match in pattern.finditer(text):
            try:
                found = work(match, setting, base)
            except OverflowError:
                continue  # beyond the calendar's last year
            if found is not None:
                hits.append((match.start(), match.end(), name, found))
    hits.sort(key=lambda hit: (hit[0], hit[0] - hit[1]))
    mentions: List[Mention] = []
    taken = 0
    for start, end, name, found in hits:
        if start >= taken and found is not None:
            mention = _mention(text, start, end, taken, found if setting.base or name in FIXED else None)
            mentions.append(mention)
            taken = mention.end
    return mentions


def _mention(text: str, start: int, end: int, earliest: int, found: Optional[Found]) -> Mention:
    time, end = _time_after(text, end)
    before = None if time else _TIME_BEFORE.search(text, earliest, start)
    if before:
        time, start = _clock(before.group(1), before.group(2), before.group(3)), before.start()
    lead, tail = _BEFORE.search(text, earliest, start), _AFTER.match(text, end)
    loose = _LOOSE_BEFORE.search(text, earliest, start)
    first = lead.start() if lead else loose.start() if loose else start
    last = tail.end() if tail else end
    words = text[first:last].strip()
    marked = bool(lead and lead.group(0).strip() != "在") or bool(tail) or bool(before and before.group(0).lower().startswith("by"))
    marked = marked or words.endswith("内") or words.lower().startswith("within")
    if found is None:
        return Mention(first, last, words, None, time, "no_meeting_date", False, None, marked)
    return Mention(first, last, words, found.day, time, found.rule, found.certain, found.alternative, marked)


def _time_after(text: str, end: int) -> Tuple[Optional[str], int]:
    match = _TIME_AFTER.match(text, end)
    if match is None:
        return None, end
    if match.group(1):
        return _clock(match.group(1), match.group(2), match.group(3)), match.end()
    if match.group(5):
        hour = chinese_number(match.group(5))
        minutes = {"半": "30", None: "00"}.get(match.group(6), (match.group(6) or "").rstrip("分"))
        half = "pm" if match.group(4) in ("下午", "晚上") else "am" if match.group(4) else ""
        return (None, end) if hour is None else (_clock(str(hour), minutes, half), match.end())
    return None, match.end()


def _clock(hour: str, minutes: Optional[str], half: str) -> Optional[str]:
    number, half = int(hour), (half or "").lower().replace(".", "")
    if half == "pm" and number < 12:
        number += 12
    if half == "am" and number == 12:
        number = 0
    return f"{number:02d}:{int(minutes or 0):02d}" if number < 24 and int(minutes or 0) < 60 else None
