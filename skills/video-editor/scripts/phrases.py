"""From words to typed edits: `cut 0:10–0:25, speed 2x, fade out 1s` and `剪掉0:10到0:25，2倍速，淡出1秒`."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, Match, Optional, Tuple

from clocks import LENGTH, MOMENT
from wire import Problem, Refused

Edit = Dict[str, Any]
_QUOTES = {"'": "'", '"': '"', "“": "”", "‘": "’", "「": "」", "『": "』"}
_TO = r"\s*(?:-|–|—|~|～|to|until|till|through|and|到|至)\s*"
# `from 5 to 10 seconds`: the unit behind the second number is also that of the first.
_BARE_FROM = rf"\d{{1,4}}(?={_TO}\d{{1,4}}\s*(?:seconds?|secs?|s|秒钟?)(?![a-z]))"
_RANGE = rf"(?:from\s+|between\s+|at\s+|从)?(?P<from>{MOMENT}|{_BARE_FROM}){_TO}(?P<to>{MOMENT})(?:处|之间|的?(?:部分|片段|内容|画面))?"
_MAYBE_RANGE = rf"(?:\s*(?:{_RANGE}))?"
_FIRST = rf"(?:the\s+)?(?:first|opening)\s+(?P<first>{LENGTH})|(?:前|开头|片头)的?\s*(?P<first_zh>{LENGTH})"
_LAST = rf"(?:the\s+)?(?:last|final)\s+(?P<last>{LENGTH})|(?:最后|后|结尾|末尾|片尾)的?\s*(?P<last_zh>{LENGTH})"
_REMOVE = r"(?:cut(?:\s+out)?|remove|delete|drop|剪掉|删掉|删除|去掉|去除|裁掉|剪去)"
_KEEP = r"(?:keep(?:\s+only)?|only\s+keep|trim\s+to|clip|extract|use\s+only|只?保留|只要|截取|剪出|只留)"
_RATE = r"(?P<rate>\d{1,2}(?:\.\d{1,2})?)"
_TEXT = r"(?P<text>\x00\d+\x00)"
_RATIO = r"(?P<ratio>\d{1,2}\s*[:：x]\s*\d{1,2})"
_SHAPES = {"vertical": "9:16", "portrait": "9:16", "竖屏": "9:16", "竖版": "9:16", "square": "1:1", "方形": "1:1", "正方形": "1:1", "widescreen": "16:9", "landscape": "16:9", "横屏": "16:9", "横版": "16:9"}
_SIZES = {"4k": "2160p", "uhd": "2160p", "2k": "1440p", "full hd": "1080p", "fhd": "1080p", "hd": "720p", "超清": "1080p", "高清": "720p"}

Rule = Tuple["re.Pattern[str]", Callable[[Match[str]], List[Edit]]]
_RULES: List[Rule] = []


def _rule(*patterns: str) -> Callable[[Callable[[Match[str]], List[Edit]]], Callable[[Match[str]], List[Edit]]]:
    def keep(work: Callable[[Match[str]], List[Edit]]) -> Callable[[Match[str]], List[Edit]]:
        for pattern in patterns:
            _RULES.append((re.compile(rf"^(?:{pattern})$", re.IGNORECASE), work))
        return work

    return keep


def _part(match: Match[str]) -> Edit:
    """The range in a match, if it has one."""
    found = match.groupdict()
    return {key: found[key].strip() for key in ("from", "to") if found.get(key)}


def _ends(match: Match[str]) -> Edit:
    found = match.groupdict()
    first, last = found.get("first") or found.get("first_zh"), found.get("last") or found.get("last_zh")
    return {"from": "start", "to": first.strip()} if first else {"from": f"end-{(last or '').strip()}", "to": "end"}


@_rule(rf"{_REMOVE}\s*(?:everything\s+)?{_RANGE}", rf"(?:把|将)?{_RANGE}\s*(?:这段|部分)?{_REMOVE}")
def _cut(match: Match[str]) -> List[Edit]:
    return [{"op": "cut", **_part(match)}]


@_rule(rf"(?:{_REMOVE}|trim(?:\s+off)?)\s*(?:{_FIRST})", rf"(?:{_REMOVE}|trim(?:\s+off)?)\s*(?:{_LAST})", rf"(?:把|将)?(?:{_FIRST}){_REMOVE}", rf"(?:把|将)?(?:{_LAST}){_REMOVE}",
       rf"(?:{_FIRST})\s*(?:不要了?|砍掉)", rf"(?:{_LAST})\s*(?:不要了?|砍掉)")
def _cut_end(match: Match[str]) -> List[Edit]:
    return [{"op": "cut", **_ends(match)}]


@_rule(rf"{_KEEP}\s*{_RANGE}", rf"(?:把|将)?{_RANGE}\s*{_KEEP}(?:下来)?")
def _keep(match: Match[str]) -> List[Edit]:
    return [{"op": "keep", **_part(match)}]


@_rule(rf"{_KEEP}\s*(?:{_FIRST})", rf"{_KEEP}\s*(?:{_LAST})")
def _keep_end(match: Match[str]) -> List[Edit]:
    return [{"op": "keep", **_ends(match)}]


@_rule(rf"{_REMOVE}\s*(?:everything\s+|all\s+)?(?P<side>after|before|from)\s+(?P<from>{MOMENT})(?:\s+on)?", rf"(?:把|将)?(?P<from>{MOMENT})(?P<side>之前|以前|之后|以后)的?(?:部分|内容|画面)?(?:都|全)?{_REMOVE}")
def _side(match: Match[str]) -> List[Edit]:
    moment = match.group("from").strip()
    is_head = match.group("side").lower() in ("before", "之前", "以前")
    return [{"op": "cut", "from": "start", "to": moment} if is_head else {"op": "cut", "from": moment, "to": "end"}]


@_rule(rf"start\s+(?:at|from)\s+(?P<from>{MOMENT})", rf"从(?P<from>{MOMENT})开始")
def _start(match: Match[str]) -> List[Edit]:
    return [{"op": "cut", "from": "start", "to": match.group("from").strip()}]


@_rule(rf"(?:end|stop)\s+(?:at|by)\s+(?P<to>{MOMENT})", rf"(?:到|在)(?P<to>{MOMENT})(?:结束|为止)")
def _stop(match: Match[str]) -> List[Edit]:
    return [{"op": "cut", "from": match.group("to").strip(), "to": "end"}]


@_rule(
    rf"(?:set\s+)?(?:the\s+)?(?:speed(?:\s+it)?(?:\s+up)?(?:\s+(?:to|by))?|play\s+(?:at|back\s+at)|slow\s+(?:it\s+)?(?:down|motion)(?:\s+(?:to|by))?|slow-?mo)\s*:?\s*{_RATE}\s*(?:x|×"
    rf"|times)?(?:\s+speed)?{_MAYBE_RANGE}",
    rf"{_RATE}\s*(?:x|×)\s*(?:speed|slow\s*motion)?{_MAYBE_RANGE}", rf"(?:把|将)?(?:{_RANGE}\s*)?(?:用|以)?{_RATE}\s*倍速?(?:播放)?",
    rf"(?:把|将)?(?:{_RANGE}\s*)?(?:加速|加快|快进|放慢|慢放|减速|变速|速度调)(?:到|至|为)?\s*(?:原来的\s*)?{_RATE}\s*倍速?")
def _speed(match: Match[str]) -> List[Edit]:
    return [{"op": "speed", "factor": match.group("rate"), **_part(match)}]


@_rule(rf"(?:slow\s+(?:it\s+)?down\s+(?:to|by)\s+|play\s+at\s+)?(?:half(?:\s+(?:the\s+)?speed)?|放慢一半|半速){_MAYBE_RANGE}", rf"(?:把|将)?{_RANGE}\s*(?:放慢一半|半速)")
def _half(match: Match[str]) -> List[Edit]:
    return [{"op": "speed", "factor": "0.5", **_part(match)}]


@_rule(rf"(?:(?:play\s+at\s+)?(?:double|twice)\s+(?:the\s+)?speed|速度加倍){_MAYBE_RANGE}")
def _double(match: Match[str]) -> List[Edit]:
    return [{"op": "speed", "factor": "2", **_part(match)}]


@_rule(
    rf"(?:mute|silence|静音|消音)(?:\s+(?:the\s+)?(?:audio"
    rf"|sound))?{_MAYBE_RANGE}", rf"(?:把|将)?{_RANGE}\s*(?:静音|消音)", r"(?:remove|no|without)\s+(?:the\s+)?(?:audio|sound)|(?:去掉|删除|去除|关掉)(?:声音|原声|音频)")
def _mute(match: Match[str]) -> List[Edit]:
    return [{"op": "mute", **_part(match)}]


@_rule(
    rf"(?:set\s+)?(?:the\s+)?volume\s*(?:to\s*)?(?P<level>[+-]?\d{{1,3}}(?:\.\d)?\s*(?:%"
    rf"|db)){_MAYBE_RANGE}", rf"(?:把|将)?(?:{_RANGE}\s*)?音量(?:调到|调为|设为|改为)?\s*(?P<level>[+-]?\d{{1,3}}(?:\.\d)?\s*(?:%|％|db|分贝))")
def _volume(match: Match[str]) -> List[Edit]:
    level = match.group("level").lower().replace(" ", "").replace("％", "%").replace("分贝", "db")
    return [{"op": "volume", "level": level, **_part(match)}]


@_rule(r"(?:double\s+(?:the\s+)?volume|(?:把|将)?(?:声音|音量)(?:调大|提高|增大|放大|加大)(?:一|1)倍|音量(?:加倍|翻倍))")
def _double_volume(match: Match[str]) -> List[Edit]:
    return [{"op": "volume", "level": "200%"}]


@_rule(rf"(?:(?:把|将)?(?:{_RANGE})\s*)?音量(?:减半)|(?:half|halve)\s+(?:the\s+)?volume|(?:把|将)?(?:声音|音量)(?:调小|降低|减小)?一半")
def _half_volume(match: Match[str]) -> List[Edit]:
    return [{"op": "volume", "level": "50%", **_part(match)}]


@_rule(
    rf"(?:add\s+)?(?:a\s+)?fade[\s-]*(?P<way>in|out|in\s+and\s+out|in/out)(?:\s+(?:over|for|of))?\s*(?P<for>{LENGTH})?(?:\s+at\s+the\s+(?:end"
    rf"|start))?", rf"(?:加上?|添加)?(?:(?P<for>{LENGTH})的?)?(?P<way>淡入淡出|淡入|淡出)", rf"(?:加上?|添加)?(?P<way>淡入淡出|淡入|淡出)\s*(?P<for>{LENGTH})", rf"(?:add\s+)?(?:an?\s+)?(?P<for>{LENGTH})\s+fade[\s-]*(?P<way>in|out)")
def _fade(match: Match[str]) -> List[Edit]:
    way, length = match.group("way").lower(), (match.group("for") or "1s").strip()
    ops = [op for op, words in (("fade_in", ("in", "淡入")), ("fade_out", ("out", "淡出"))) if any(word in way for word in words)]
    return [{"op": op, "for": length} for op in ops]


_SUBTITLE = r"(?:add\s+|put\s+|show\s+)?(?:a\s+|the\s+)?(?:subtitle|caption|text|title)s?"
_SUBTITLE_ZH = r"(?:加上?|添加|显示|打上?|出现)?(?:一[条行句个])?(?:字幕|文字|标题)"
_FOR = rf"(?:\s*,?\s*(?:for|持续|显示|停留)\s*(?P<for>{LENGTH}))?"


@_rule(
    rf"{_SUBTITLE}\s*:?\s*{_TEXT}\s*(?:at|from"
    rf"|on)\s+(?P<at>{MOMENT})(?:{_TO}(?P<to>{MOMENT}))?{_FOR}", rf"{_SUBTITLE}\s*(?:at|from)\s+(?P<at>{MOMENT})(?:{_TO}(?P<to>{MOMENT}))?{_FOR}\s*:?\s*{_TEXT}",
    rf"(?:在|从)?(?P<at>{MOMENT})(?:{_TO}(?P<to>{MOMENT}))?(?:处|时|的时候"
    rf"|之间)?\s*{_SUBTITLE_ZH}\s*[:：]?\s*{_TEXT}{_FOR}",
        rf"{_SUBTITLE_ZH}\s*[:：]?\s*{_TEXT}\s*(?:在|从"
        rf"|于)?\s*(?P<at>{MOMENT})(?:{_TO}(?P<to>{MOMENT}))?{_FOR}",
    rf"(?:at\s+)(?P<at>{MOMENT})\s*:?\s*{_SUBTITLE}\s*:?\s*{_TEXT}{_FOR}")
def _subtitle(match: Match[str]) -> List[Edit]:
    found = {key: value.strip() for key, value in match.groupdict().items() if value and key in ("at", "to", "for", "text")}
    return [{"op": "subtitle", **found}]


@_rule(
    r"(?:resize|scale|export|render|output|convert)?\s*(?:to|at|in|as|为|成|导出|输出)?\s*(?P<size>\d{3,4}\s*p|4k|uhd|2k|full\s?hd|fhd|hd|超清"
    r"|高清)(?:\s*(?:resolution|分辨率|画质))?",
        r"(?:resize|scale|缩放|调整)\s*(?:to|到|为"
        r"|成)?\s*(?P<size>\d{2,4}\s*[x×*]\s*\d{2,4})", r"(?:导出|输出|分辨率)(?:为|成)?\s*(?P<size>\d{3,4}\s*p|\d{3,4}\s*[x×*]\s*\d{3,4}|4k|2k)")
def _resize(match: Match[str]) -> List[Edit]:
    plain = re.sub(r"\s+", " ", match.group("size").lower())
    return [{"op": "resize", "size": _SIZES.get(plain, re.sub(r"\s*[x×*]\s*", "x", plain).replace(" ", ""))}]


@_rule(
    rf"(?:(?P<fit>crop|pad|letterbox|裁剪|裁切|裁|加黑边|补黑边)\s*(?:to|into|成|为|到)?\s*)?(?:make\s+it\s+|改成|转成|变成)?{_RATIO}(?:\s*(?:aspect(?:\s+ratio)?"
    rf"|比例|画幅))?",
       rf"(?:(?P<fit>crop|pad|letterbox|裁剪|裁切|裁|加黑边|补黑边)\s*(?:to|into|成|为|到)?\s*)?(?:make\s+it\s+|改成|转成"
       rf"|变成)?(?:a\s+)?(?P<shape>{'|'.join(_SHAPES)})(?:\s*(?:video|format|视频))?")
def _aspect(match: Match[str]) -> List[Edit]:
    found = match.groupdict()
    ratio = _SHAPES[found["shape"].lower()] if found.get("shape") else re.sub(r"\s*[:：x]\s*", ":", found["ratio"])
    pad = (found.get("fit") or "").lower() in ("pad", "letterbox", "加黑边", "补黑边")
    return [{"op": "aspect", "ratio": ratio, "fit": "pad" if pad else "crop"}]


@_rule(
    r"rotate\s*(?:by\s*)?(?P<degrees>90|180|270)\s*(?:°|degrees?|deg)?\s*(?P<way>left|right|clockwise|counter-?clockwise"
    r"|anticlockwise)?", r"(?P<way>顺时针|逆时针|向左|向右)?旋转\s*(?P<degrees>90|180|270)\s*(?:°|度)?",
    r"(?:rotate|turn)\s*(?:it\s+)?(?:to\s+the\s+)?(?P<way>left|right|clockwise|counter-?clockwise|anticlockwise|upside\s+down)", r"(?P<way>向左|向右|顺时针|逆时针)旋转")
def _rotate(match: Match[str]) -> List[Edit]:
    way = (match.group("way") or "").lower()
    degrees = int(match.groupdict().get("degrees") or (180 if way.startswith("upside") else 90))
    back = way in ("left", "逆时针", "向左") or way.startswith(("counter", "anti"))
    return [{"op": "rotate", "degrees": (360 - degrees) % 360 if back else degrees}]


@_rule(r"(?P<axis>mirror|flip(?:\s+(?:it\s+)?(?:horizontal(?:ly)?|vertical(?:ly)?))?|左右翻转|水平翻转|镜像|上下翻转|垂直翻转)")
def _flip(match: Match[str]) -> List[Edit]:
    return [{"op": "flip", "axis": "vertical" if re.search("vertical|上下|垂直", match.group("axis"), re.IGNORECASE) else "horizontal"}]


@_rule(
    r"(?:at\s+|convert\s+to\s+)?(?P<rate>\d{2,3}(?:\.\d{1,3})?)\s*(?:fps|frames?\s+(?:per|a)\s+second"
    r"|帧(?:每秒|/秒)?)", r"(?:帧率|frame\s*rate)\s*(?:改为|为|to)?\s*(?P<rate>\d{2,3}(?:\.\d{1,3})?)")
def _fps(match: Match[str]) -> List[Edit]:
    return [{"op": "fps", "rate": match.group("rate")}]


@_rule(
    r"(?:export|save|render|output|convert)\s*(?:as|to|in)?\s*(?:an?\s+)?\.?(?P<name>mp4|webm"
    r"|gif|mov)", r"(?:导出|输出|保存|转)(?:为|成)?\s*(?P<name>mp4|webm|gif|mov)(?:格式)?")
def _format(match: Match[str]) -> List[Edit]:
    return [{"op": "format", "name": match.group("name").lower()}]


# --- clauses ------------------------------------------------------------------------------------------------------

_BARE = re.compile(rf"^{_RANGE}$", re.IGNORECASE)
_SPLIT = re.compile(
    rf"\s*(?:\band\b|&|和|以及)\s*(?=(?:from\s+|从)?(?:{MOMENT})\s*(?:-|–|—|~|～|to\b|until\b|到|至)\s*(?:{MOMENT}))|"
    r"[,，;；。、\n]+|\s+then\s+|\s+and\s+then\s+|然后|接着|再(?=[^\x00]{2})|\.\s+(?=[A-Za-z])|\s+and\s+(?=(?:add|fade|speed|mute|rotate|resize|export|crop"
    r"|cut|remove|keep|flip|volume|set|slow|make)\b)|并且?(?=[^\x00]{2})", re.IGNORECASE)
EXAMPLES = "cut 0:10-0:25; keep 0:05-1:00; remove the last 3s; speed 2x; speed 0.5x 0:30-0:40; mute 0:10-0:12; volume 50%; fade in 1s; subtitle 'Hi' at 0:03 for 2s; 1080p; crop to 9:16; rotate 90; 30 fps; export as webm"


def read(text: str, cut_means: str = "remove") -> List[Tuple[str, Edit]]:
    """The edits in a text, each with the words it was read from; refuses words that mean nothing."""
    shielded, texts = _shield(text)
    shielded = _plain_words(shielded)
    found: List[Tuple[str, Edit]] = []
    problems: List[Problem] = []
    for clause in _clauses(shielded):
        words = _restore(clause, texts, quoted=True)
        edits = _edits(clause) or _again(clause, found)
        if edits is None:
            problems.append(Problem("input.instructions", f"`{words[:80]}` is not understood; say for example: {EXAMPLES}"))
            continue
        for edit in edits:
            if cut_means == "keep" and edit["op"] == "cut" and is_plain_cut(clause):
                edit["op"] = "keep"
            if "text" in edit:
                edit["text"] = _restore(edit["text"], texts, quoted=False)
            found.append((words, edit))
    if problems:
        raise Refused(*problems)
    return found


_DIGITS = {char: number for number, char in enumerate("零一二三四五六七八九十")} | {"两": 2}


def _plain_words(text: str) -> str:
    """Numbers written as Chinese words in digits, and words that change nothing left out."""
    text = re.sub(r"[零一二两三四五六七八九十]{1,3}(?=\s*(?:秒|分|倍))", lambda match: str(_number(match.group(0))), text)
    text = re.sub(r"也(?=剪|删|去|静|不|保)", "", text)
    text = re.sub(r"\bthe (?:very )?(?:start|beginning)\b", "start", text, flags=re.IGNORECASE)
    return re.sub(r"\b(cut|trim|mute|rotate|mirror|flip|crop|resize|export|shorten) it\b", r"\1", text, flags=re.IGNORECASE)


def _number(words: str) -> int:
    tens, ten, ones = words.rpartition("十")
    if not ten:
        return _DIGITS[words[0]] if len(words) == 1 else int("".join(str(_DIGITS[char]) for char in words))
    return (_DIGITS[tens[-1]] if tens else 1) * 10 + (_DIGITS[ones[0]] if ones else 0)


def is_plain_cut(words: str) -> bool:
    """Whether a clause says just `cut` and a range, which some people say for what they want to keep."""
    return bool(re.match(r"cut\s+(?!out\b|(?:the\s+)?(?:first|last|opening|final)\b)", words, re.IGNORECASE))


def _clauses(text: str) -> List[str]:
    """The text in clauses; `, for 2s` belongs to the clause before."""
    parts: List[str] = []
    for part in _SPLIT.split(text):
        plain = re.sub(
            r"^(?:please|first|finally|then|also|and|请|先|最后(?!\s*\d)|另外"
            r"|同时|帮我)\s*", "", part.strip(" .\t\r!！"), flags=re.IGNORECASE).strip()
        if not plain:
            continue
        if parts and re.match(rf"^(?:for|持续|显示|停留)\s*(?:{LENGTH})$", plain, re.IGNORECASE):
            parts[-1] += f" {plain}"
        else:
            parts.append(plain)
    return parts


def _again(clause: str, found: List[Tuple[str, Edit]]) -> Optional[List[Edit]]:
    """A bare range means the same as the clause before: `cut 0:10-0:20, 0:40-0:50`."""
    match = _BARE.match(clause)
    if match is None or not found or found[-1][1]["op"] not in ("cut", "keep", "mute", "speed", "volume"):
        return None
    return [{**found[-1][1], **_part(match)}]


def _edits(clause: str) -> Optional[List[Edit]]:
    for pattern, work in _RULES:
        match = pattern.match(clause)
        if match:
            return work(match)
    return None


def _shield(text: str) -> Tuple[str, List[Tuple[str, str]]]:
    """Puts quoted texts aside, so that commas and verbs inside them do nothing."""
    text = text.replace("\x00", "")
    texts: List[Tuple[str, str]] = []
    plain, at = "", 0
    while at < len(text):
        close = _QUOTES.get(text[at])
        end = text.find(close, at + 1) if close and not (text[at] == "'" and at and text[at - 1].isalnum()) else -1
        while end > 0 and close == "'" and end + 1 < len(text) and text[end + 1].isalnum():
            end = text.find(close, end + 1)  # an apostrophe inside the text
        if end > at:
            plain += f"\x00{len(texts)}\x00"
            texts.append((text[at + 1 : end], text[at : end + 1]))
            at = end + 1
        else:
            plain += text[at]
            at += 1
    return plain, texts


def _restore(text: str, texts: List[Tuple[str, str]], quoted: bool) -> str:
    return re.sub(r"\x00(\d+)\x00", lambda match: texts[int(match.group(1))][1 if quoted else 0], text)
