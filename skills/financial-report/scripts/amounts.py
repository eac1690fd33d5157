"""Amounts as whole minor units: read from the ways bookkeepers write them, written with separators."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import List, Optional

NO_DECIMALS = set("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split())
THREE_DECIMALS = set("BHD IQD JOD KWD LYD OMR TND".split())
_WIDE = {**{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}, 0xFFE5: "¥", 0x3000: " ", 0xA0: " ", 0x202F: " ", 0x2212: "-"}
_PLAIN = re.compile(r"^(\d{1,15})(?:\.(\d{1,3}))?$")
_GROUPED = {".": re.compile(r"^\d{1,3}(,\d{3})+(\.\d{1,3})?$"), ",": re.compile(r"^\d{1,3}([. ']\d{3})+(,\d{1,3})?$")}


def places(currency: str) -> int:
    """How many decimals the currency's minor unit has (ISO 4217)."""
    return 0 if currency in NO_DECIMALS else 3 if currency in THREE_DECIMALS else 2


def read(text: str, currency: str, point: str) -> Optional[int]:
    """Minor units from `1,234.50`, `(99.00)`, `-12`, `¥1,000`, full-width digits; None when it is no amount."""
    plain = text.translate(_WIDE).strip()
    negative = plain.startswith("(") and plain.endswith(")")
    plain = plain[1:-1].strip() if negative else plain
    plain = re.sub(rf"^([+-]?)\s*(?:{currency}|[¥€$£₩])\s*|\s*(?:{currency}|[¥€$£₩]|元)$", r"\1", plain)
    if plain[:1] in "+-" and plain:
        negative, plain = negative != (plain[0] == "-"), plain[1:].strip()
    if _GROUPED[point].match(plain):
        plain = re.sub(r"[,]" if point == "." else r"[. ']", "", plain)
    if point == ",":
        plain = "x" if "." in plain else plain.replace(",", ".")
    match = _PLAIN.match(plain) if plain.isascii() else None
    if match is None or len((match.group(2) or "").rstrip("0")) > places(currency):
        return None
    minor = int(Decimal(plain).scaleb(places(currency)))
    return -minor if negative else minor


def written(minor: int, currency: str) -> str:
    """`-1,234.50`."""
    return f"{Decimal(minor).scaleb(-places(currency)):,.{places(currency)}f}"


def rounded(value: Fraction, digits: int) -> str:
    """A ratio as text, rounded half to even."""
    scaled = round(value * 10**digits)
    whole = str(abs(scaled)).rjust(digits + 1, "0")
    text = f"{whole[:-digits]}.{whole[-digits:]}" if digits else whole
    return f"-{text}" if scaled < 0 else text


def spread(total: int, weights: List[int]) -> List[int]:
    """Divides `total` in proportion to positive weights without losing a unit (largest remainder)."""
    whole = sum(weights)
    exact = [Fraction(total * weight, whole) for weight in weights]
    parts = [value.numerator // value.denominator for value in exact]
    order = sorted(range(len(weights)), key=lambda index: (parts[index] - exact[index], index))
    for index in order[: total - sum(parts)]:
        parts[index] += 1
    return parts
