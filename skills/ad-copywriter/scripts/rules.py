"""What a text must not do: forbidden claims by market and trade, and each platform's editorial rules."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

import counting

REFERENCES = Path(__file__).resolve().parent.parent / "references"


class Finding(NamedTuple):
    """One thing to mend."""

    code: str
    severity: str
    match: str
    start: int
    message: str
    law: Optional[str] = None


class Claim(NamedTuple):
    """A forbidden kind of claim."""

    id: str
    markets: List[str]
    severity: str
    law: str
    pattern: "re.Pattern[str]"
    exceptions: Optional["re.Pattern[str]"]
    industry: Optional[List[str]]
    not_industry: List[str]
    texts: Dict[str, str]


def platforms() -> Dict[str, Any]:
    """The limits of every platform, as data."""
    return json.loads((REFERENCES / "platforms.json").read_text(encoding="utf-8"))


def claims() -> List[Claim]:
    """The forbidden claims, as data."""
    raw = json.loads((REFERENCES / "claims.json").read_text(encoding="utf-8"))
    return [
        Claim(
            row["id"], row["markets"], row["severity"], row["law"], re.compile(row["pattern"], re.IGNORECASE),
            re.compile(row["except"], re.IGNORECASE) if "except" in row else None, row.get("industry"), row.get("not_industry", []),
            {"en": row["en"], "zh": row["zh"]},
        ) for row in raw
    ]


def forbidden(text: str, known: List[Claim], markets: List[str], industry: str, lang: str) -> Iterator[Finding]:
    """The forbidden claims in a text; full-width letters and spaces between Chinese characters do not hide them."""
    plain, places = _unhidden(text)
    for claim in known:
        if not set(claim.markets) & set(markets) or industry in claim.not_industry or (claim.industry and industry not in claim.industry):
            continue
        spared = [match.span() for match in claim.exceptions.finditer(plain)] if claim.exceptions else []
        for match in claim.pattern.finditer(plain):
            if not any(low <= match.start() < high for low, high in spared):
                start, end = places[match.start()], places[match.end() - 1] + 1
                yield Finding(claim.id, claim.severity, text[start:end], start, claim.texts[lang], claim.law)


def _unhidden(text: str) -> Tuple[str, List[int]]:
    """The text with width folded and separators between Chinese characters dropped, and where each character came from."""
    plain, places = "", []
    for index, char in enumerate(text):
        if unicodedata.category(char) == "Cf" or (char in " \u3000·・.*_-" and _chinese(text, index - 1) and _chinese(text, index + 1)):
            continue
        for piece in unicodedata.normalize("NFKC", char):
            plain += piece
            places.append(index)
    return plain, places


def _chinese(text: str, index: int) -> bool:
    return 0 <= index < len(text) and "\u4e00" <= text[index] <= "\u9fff"


# --- editorial rules ----------------------------------------------------------------------------------------------

_REPEATED = re.compile(r"([!?！？。,，~*#$%&])\1+|\.{4,}|…{3,}|[!?！？]{2,}")
_SHOUT = re.compile(r"\b[A-Z]{2,}(?:\s+[A-Z]{2,})+\b|\b[A-Z]{4,}\b")
_PHONE = re.compile(
    r"(?<![\d.,%])(?:\+?\d{1,3}[\s-]?)?(?:\(\d{2,4}\)[\s-]?)?\d{3,4}[\s-]\d{3,4}(?:[\s-]\d{2,4})?(?!\d)|(?<!\d)1[3-9]\d{9}(?!\d)|(?<!\d)(?:400"
    r"|800)[\s-]?\d{3}[\s-]?\d{4}(?!\d)")
_CLICK = re.compile(r"\bclick (?:here|below|this)\b", re.IGNORECASE)
_PERSONAL = re.compile(
    r"\bare you (?:fat|overweight|depressed|broke|in debt|disabled|single|gay|divorced)\b|\byour (?:disease|disability|debt|depression|bad credit"
    r"|weight problem)\b", re.IGNORECASE)
_PRICE = re.compile(r"[$€£¥]\s?\d|\d\s?(?:usd|eur|元)\b|\b(?:free|sale|discount|% off|#1|best)\b|免费|特价|打折", re.IGNORECASE)
_INDUCE = re.compile(r"点赞|关注我|关注公众号|转发|加微信|加V|扫码|私信我|评论区扣|点击(?:下方|查看|链接)|红包|集赞", re.IGNORECASE)
_DASH = re.compile("——|--|—")
_PLACEHOLDER = re.compile(
    r"\{\{?[^{}]{0,40}\}?\}|\[(?:brand|product|name|city|price|your [a-z ]+|insert [a-z ]+|xx+)\]|\b(?:lorem ipsum|xxx+|tbd)\b|【(?:品牌|产品|价格|姓名|城市)】"
    r"|XX(?:品牌|产品|元)", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*|[一二三四五六七八九两]折|半价")

WORDS = {
    "no_exclamation_in_headline": {"en": "no exclamation mark in a headline", "zh": "标题不得使用感叹号"},
    "one_exclamation": {"en": "one exclamation mark in a text at most", "zh": "一段文字最多一个感叹号"},
    "no_repeated_punctuation": {"en": "repeated punctuation", "zh": "标点重复"},
    "no_shouting": {"en": "words in capitals; write them normally unless it is an abbreviation or brand in the brief", "zh": "整词大写；除缩写或品牌外请正常书写"},
    "no_emoji": {"en": "emoji are not accepted here", "zh": "此处不接受表情符号"},
    "no_phone": {"en": "no telephone number in the text", "zh": "文案中不得出现电话号码"},
    "no_url": {"en": "no link in the text", "zh": "文案中不得出现链接"},
    "no_click_here": {"en": "say what happens instead of `click here`", "zh": "请写明行动内容，不要写“点击这里”"},
    "no_personal_attributes": {"en": "do not suggest a personal attribute of the reader", "zh": "不得暗示读者的个人属性"},
    "no_price_in_name": {"en": "no price, ranking or promotion in the name", "zh": "名称中不得含价格、排名或促销"},
    "no_inducement": {"en": "no inducement to like, follow, forward or add contacts", "zh": "不得诱导点赞、关注、转发或添加联系方式"},
    "no_dash": {"en": "no dash", "zh": "不得使用破折号"},
    "placeholder": {"en": "a placeholder was left in", "zh": "残留占位符"},
    "number_not_in_brief": {"en": "this number is not in the brief; drop it or add its source to the brief", "zh": "此数字不在需求中，请删除或在需求中补充依据"},
    "banned_word": {"en": "the brief bans this word", "zh": "需求中列为禁用词"},
}
WARNINGS = {"no_shouting", "no_personal_attributes"}


def editorial(text: str, field: str, rules: List[str], allowed: str, lang: str) -> Iterator[Finding]:
    """Breaches of a platform's editorial rules; `allowed` is the brief's own text. The same words are told once for each rule."""
    for rule in rules:
        told = set()
        for match in _FINDERS[rule](text, field):
            if match.group(0) not in told and (rule != "no_shouting" or match.group(0) not in allowed):
                told.add(match.group(0))
                yield Finding(rule, "warning" if rule in WARNINGS else "error", match.group(0), match.start(), WORDS[rule][lang])


def _emoji(text: str, _: str) -> Iterator["re.Match[str]"]:
    for piece in dict.fromkeys(counting.graphemes(text)):
        if counting.is_emoji(piece):
            yield next(re.finditer(re.escape(piece), text))


def _links(text: str, _: str) -> Iterator["re.Match[str]"]:
    for link in dict.fromkeys(counting.links(text)):
        yield next(re.finditer(re.escape(link), text))


def _surplus_exclamations(text: str, _: str) -> Iterator["re.Match[str]"]:
    yield from list(re.finditer("[!！]", text))[1:]


def _only_in(pattern: "re.Pattern[str]", *fields: str) -> Callable[[str, str], Iterator["re.Match[str]"]]:
    return lambda text, field: pattern.finditer(text) if field in fields else iter(())


def _anywhere(pattern: "re.Pattern[str]") -> Callable[[str, str], Iterator["re.Match[str]"]]:
    return lambda text, field: pattern.finditer(text)


_FINDERS: Dict[str, Callable[[str, str], Iterator["re.Match[str]"]]] = {
    "no_exclamation_in_headline": _only_in(re.compile("[!！]"), "headline", "long_headline"),
    "one_exclamation": _surplus_exclamations, "no_repeated_punctuation": _anywhere(_REPEATED), "no_shouting": _anywhere(_SHOUT),
    "no_emoji": _emoji, "no_phone": _anywhere(_PHONE), "no_url": _links, "no_click_here": _anywhere(_CLICK),
    "no_personal_attributes": _anywhere(_PERSONAL), "no_price_in_name": _only_in(_PRICE, "name", "title", "subtitle"), "no_inducement": _anywhere(_INDUCE), "no_dash": _anywhere(_DASH),
}


def faithful(text: str, brief: str, banned: List[str], lang: str) -> Iterator[Finding]:
    """Placeholders, banned words, and numbers that the brief does not hold."""
    for match in _PLACEHOLDER.finditer(text):
        yield Finding("placeholder", "error", match.group(0), match.start(), WORDS["placeholder"][lang])
    for word in banned:
        at = text.casefold().find(word.casefold())
        if at >= 0:
            yield Finding("banned_word", "error", text[at : at + len(word)], at, WORDS["banned_word"][lang])
    given = {_plain_number(match.group(0)) for match in _NUMBER.finditer(unicodedata.normalize("NFKC", brief))}
    without_links = _blank(text)
    for match in _NUMBER.finditer(without_links):
        if _plain_number(unicodedata.normalize("NFKC", match.group(0))) not in given:
            yield Finding("number_not_in_brief", "error", match.group(0), match.start(), WORDS["number_not_in_brief"][lang])


def _blank(text: str) -> str:
    for link in counting.links(text):
        text = text.replace(link, " " * len(link))
    return text


def _plain_number(text: str) -> str:
    """`1,000`, `1000` and `1000.0` are one number."""
    plain = re.sub(r"[.,](?=\d{3}(?:\D|$))", "", text).replace(",", ".")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
