"""Whether an offer answers a wish: every word of one phrase, in English by words, in Chinese by pairs of characters."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional

WORD = re.compile(r"[^\W_]+")
HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+")


class Wish(NamedTuple):
    """What is looked for."""

    phrases: List[FrozenSet[str]]
    category: Optional[str]

    @classmethod
    def of(cls, words: List[str], category: Optional[str]) -> "Wish":
        phrases = [terms(phrase) for phrase in words]
        return cls([phrase for phrase in phrases if phrase], category and plain(category))


def matches(wish: Wish, offer: Dict[str, Any]) -> bool:
    """Whether all words of one phrase are in the offer, and its category is the wanted one."""
    if wish.category and plain(offer.get("category", "")) != wish.category:
        return False
    text = " ".join(offer.get(key, "") for key in ("title", "category"))
    said = terms(text) | {term for term in single(text)}
    return any(phrase <= said for phrase in wish.phrases)


def plain(text: str) -> str:
    """Folded width and case."""
    return unicodedata.normalize("NFKC", text).casefold()


def terms(text: str) -> FrozenSet[str]:
    """Words in their stem, and pairs of Chinese characters; one character alone stays one."""
    found = set()
    for word in WORD.findall(plain(text)):
        for part in re.split(f"({HAN.pattern})", word):
            if HAN.fullmatch(part):
                found.update([part] if len(part) == 1 else [part[at : at + 2] for at in range(len(part) - 1)])
            elif part:
                found.add(_stem(part))
    return frozenset(found)


def single(text: str) -> List[str]:
    """Each Chinese character, which answers a phrase of one."""
    return [char for run in HAN.findall(plain(text)) for char in run]


def _stem(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("es") and word[-3] in "sxzh":
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
