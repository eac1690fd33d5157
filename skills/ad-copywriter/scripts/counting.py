"""How long a text is by each platform's own rule: characters, double width, graphemes, X weights, SMS segments."""

from __future__ import annotations

import re
import unicodedata
from typing import Callable, Dict, List, NamedTuple

# Code points that weigh one on X (twitter-text configuration 3); everything else weighs two.
_LIGHT = [(0, 4351), (8192, 8205), (8208, 8223), (8242, 8247)]
_URL = re.compile(
    r"(?:https?://[^\s\u3000-\u303f\uff00-\uffef]+"
    r"|(?<![@\w.-])(?:[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?\.)+"
    r"(?:com|org|net|io|co|cn|shop|store|app|dev|de|uk|fr|jp|eu|ai|info|biz)\b(?:/[^\s\u3000-\u303f\uff00-\uffef]*)?)",
    re.IGNORECASE)
URL_WEIGHT = 23
_GSM = set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà")
_GSM_DOUBLE = set("^{}\\[~]|€\f")


class Sms(NamedTuple):
    """A short message's coding and how many segments it takes."""

    coding: str
    units: int
    segments: int


def graphemes(text: str) -> List[str]:
    """What a reader calls characters: combining marks, emoji sequences, flags and Hangul parts joined (the common cases of UAX 29)."""
    found: List[str] = []
    for char in text:
        if found and _joins(found[-1], char):
            found[-1] += char
        else:
            found.append(char)
    return found


def _joins(before: str, char: str) -> bool:
    if char in "\u200d\ufe0e\ufe0f\u20e3" or unicodedata.category(char) in ("Mn", "Me", "Mc") or 0xE0020 <= ord(char) <= 0xE007F:
        return True
    if 0x1F3FB <= ord(char) <= 0x1F3FF:  # skin tones
        return is_emoji(before)
    if before.endswith("\u200d"):
        return is_emoji(char) or char in "♀♂⚕⚖✈❤⚧"
    if _is_flag(char):
        return len(before) == 1 and _is_flag(before)
    if before == "\r" and char == "\n":
        return True
    return 0x1160 <= ord(char) <= 0x11FF and 0x1100 <= ord(before[-1]) <= 0x11FF


def _is_flag(char: str) -> bool:
    return len(char) == 1 and 0x1F1E6 <= ord(char) <= 0x1F1FF


def is_emoji(piece: str) -> bool:
    """Whether a grapheme is shown as an emoji."""
    first = ord(piece[0])
    if "\ufe0f" in piece or "\u20e3" in piece or _is_flag(piece[0]):
        return True
    pictures = 0x1F300 <= first <= 0x1FAFF or first in (0x1F004, 0x1F0CF, 0x1F18E) or 0x1F191 <= first <= 0x1F19A
    return pictures or first in _TEXT_EMOJI


# characters outside the picture blocks that are shown as emoji by default
_TEXT_EMOJI = set(map(ord, "⌚⌛⏩⏪⏫⏬⏰⏳◽◾☔☕♈♉♊♋♌♍♎♏♐♑♒♓♿⚓⚡⚪⚫⚽⚾⛄⛅⛎⛔⛪⛲⛳⛵⛺⛽✅✊✋✨❌❎❓❔❕❗➕➖➗➰➿⬛⬜⭐⭕"))


def characters(text: str) -> int:
    """Code points after canonical composition."""
    return len(unicodedata.normalize("NFC", text))


def double_width(text: str) -> int:
    """East Asian wide and full-width characters count two, all others one."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in unicodedata.normalize("NFC", text))


def x_weighted(text: str) -> int:
    """X's rule: links weigh 23, an emoji two whatever it is made of, light ranges one, the rest two."""
    plain, links = _URL.subn("", unicodedata.normalize("NFC", text))
    total = links * URL_WEIGHT
    for piece in graphemes(plain):
        total += 2 if is_emoji(piece) else sum(1 if any(low <= ord(char) <= high for low, high in _LIGHT) else 2 for char in piece)
    return total


def sms(text: str) -> Sms:
    """GSM 03.38: 160 units in one message or 153 in each of several; with any other character UCS-2, 70 and 67."""
    if all(char in _GSM or char in _GSM_DOUBLE for char in text):
        units = sum(2 if char in _GSM_DOUBLE else 1 for char in text)
        return Sms("GSM-7", units, 1 if units <= 160 else -(-units // 153))
    units = len(text.encode("utf-16-be")) // 2
    return Sms("UCS-2", units, 1 if units <= 70 else -(-units // 67))


RULES: Dict[str, Callable[[str], int]] = {
    "characters": characters, "double_width": double_width, "graphemes": lambda text: len(graphemes(unicodedata.normalize("NFC", text))),
    "x_weighted": x_weighted, "sms_segments": lambda text: sms(text).segments,
}


def links(text: str) -> List[str]:
    """The links in a text."""
    return [match.group(0) for match in _URL.finditer(text)]
