"""Pack sizes as people write them: `550ml*24瓶`, `6 x 500 g`, `2斤`, `500g+50g`, `12 pcs`."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from fractions import Fraction
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from wire import refuse

# dimension -> {unit: size in the dimension's base unit (g, ml, cm, one piece, one pack)}
MASS = {
    "mg": "0.001", "毫克": "0.001", "g": "1", "gram": "1", "grams": "1", "克": "1", "kg": "1000", "千克": "1000", "公斤": "1000",
    "斤": "500", "市斤": "500", "两": "50", "钱": "5", "oz": "28.349523125", "lb": "453.59237", "lbs": "453.59237",
}
VOLUME = {
    "ml": "1", "毫升": "1", "cl": "10", "dl": "100", "l": "1000", "liter": "1000", "litre": "1000", "liters": "1000", "litres": "1000",
    "升": "1000", "fl oz": "29.5735295625", "floz": "29.5735295625", "gal": "3785.411784",
}
LENGTH = {"mm": "0.1", "毫米": "0.1", "cm": "1", "厘米": "1", "m": "100", "米": "100"}
PIECES = ["piece", "pieces", "pc", "pcs", "ct", "count", "sheet", "sheets", "tablet", "tablets", "capsule", "capsules",
          "个", "件", "片", "枚", "只", "粒", "颗", "张", "抽", "条", "块", "支", "根", "双", "杯", "cup", "cups", "egg", "eggs"]
PACKS = ["pack", "packs", "bottle", "bottles", "bag", "bags", "box", "boxes", "can", "cans", "roll", "rolls", "carton", "cartons",
         "瓶", "包", "袋", "盒", "罐", "箱", "提", "卷", "桶", "听", "排", "组", "套"]
IGNORED = ["层", "ply"]

UNITS: Dict[str, Tuple[str, Fraction]] = {}
for _dimension, _table in (("mass", MASS), ("volume", VOLUME), ("length", LENGTH)):
    UNITS.update({_name: (_dimension, Fraction(_size)) for _name, _size in _table.items()})
UNITS.update({_name: ("piece", Fraction(1)) for _name in PIECES})
UNITS.update({_name: ("pack", Fraction(1)) for _name in PACKS})

DIMENSIONS = ["mass", "volume", "length", "piece", "pack"]
BASE_UNIT = {"mass": "g", "volume": "ml", "length": "cm", "piece": "piece", "pack": "pack"}
SHOWN_PER = {"mass": "kg", "volume": "L", "length": "m", "piece": "piece", "pack": "pack"}

_NAMES = "|".join(sorted((re.escape(name) for name in [*UNITS, *IGNORED]), key=len, reverse=True))
_FACTOR = re.compile(rf"\s*(\d{{1,9}}(?:\.\d{{1,6}})?)\s*(?:-?\s*({_NAMES})(?![a-z]))?\s*(?:装|/[包袋盒箱提瓶罐]|each)?\s*")
_TIMES = re.compile(r"\s*[x*×✕]\s*")
_LEAD = re.compile(r"^(?:约|净含量|规格|net|approx\.?|pack of|box of)\s*:?\s*")


MOST = 10**9


def written(value: Fraction, digits: int) -> str:
    """A number that is not negative with so many decimals, rounded half to even, however large it is."""
    whole = str(round(value * 10**digits)).rjust(digits + 1, "0")
    return f"{whole[:-digits]}.{whole[-digits:]}" if digits else whole


class Quantity(NamedTuple):
    """An amount of one dimension, in its base unit."""

    dimension: str
    amount: Fraction


def exact(value: Any, where: str) -> Fraction:
    """A number without rounding, bounded so that no input makes it huge."""
    number = Decimal(str(value))
    if not number.is_finite() or number.adjusted() > 9 or number.as_tuple().exponent < -9:
        raise refuse(where, "is outside what can be computed exactly (up to 10 digits before and 9 after the point)")
    return Fraction(number)


def plain_unit(unit: str) -> str:
    """A unit's name with full-width letters and spaces around it folded."""
    return unicodedata.normalize("NFKC", unit).strip()


def parse_quantity(amount: Any, unit: str, where: str) -> Quantity:
    """A quantity from an amount and a unit's name."""
    known = UNITS.get(plain_unit(unit).lower())
    if known is None:
        raise refuse(f"{where}.unit", f"`{unit}` is not a known unit; use g, kg, 斤, ml, L, m, piece, pack or the like")
    size = exact(amount, f"{where}.amount")
    if size <= 0:
        raise refuse(f"{where}.amount", "must be more than zero")
    return Quantity(known[0], size * known[1])


def parse_pack(pack: Any, where: str) -> Dict[str, Fraction]:
    """What one pack holds, per dimension; nothing written means one piece in one pack."""
    if pack is None:
        return {"piece": Fraction(1), "pack": Fraction(1)}
    if isinstance(pack, str):
        return _parse_text(pack, where)
    content = parse_quantity(pack["amount"], pack["unit"], where)
    count = Fraction(pack.get("count", 1))
    held = {content.dimension: content.amount * count}
    if content.dimension == "pack" or "count" in pack:
        held["pack"] = count * (content.amount if content.dimension == "pack" else 1)
    if content.dimension not in ("piece", "pack"):
        held["piece"] = count
    held.setdefault("piece", held.get("pack", Fraction(1)))
    return held


def _parse_text(text: str, where: str) -> Dict[str, Fraction]:
    plain = _LEAD.sub("", unicodedata.normalize("NFKC", text).strip().lower())
    plain = re.sub(r"\(.*?\)", " ", plain).strip()
    held: Optional[Dict[str, Fraction]] = None
    for term in plain.split("+"):
        found = _parse_term(term)
        if found is None:
            raise refuse(where, f"`{text}` is not a pack size such as 550ml*24瓶, 6 x 500 g, 2斤 or 12 pcs")
        held = found if held is None else {key: held[key] + found[key] for key in held if key in found}
    if not held:
        raise refuse(where, f"`{text}` adds sizes of different kinds")
    return held


def _parse_term(term: str) -> Optional[Dict[str, Fraction]]:
    factors: List[Tuple[Fraction, str]] = []
    at = 0
    while True:
        match = _FACTOR.match(term, at)
        if match is None or Fraction(match.group(1)) <= 0:
            return None
        if match.group(2) not in IGNORED:
            factors.append((Fraction(match.group(1)), match.group(2) or ""))
        at = match.end()
        if at == len(term):
            return _product(factors)
        times = _TIMES.match(term, at)
        if times is None:  # `6-pack 330 ml`: a count, then a measure
            if factors and factors[-1][1] and UNITS[factors[-1][1]][0] == "pack":
                continue
            return None
        at = times.end()


def _product(factors: List[Tuple[Fraction, str]]) -> Optional[Dict[str, Fraction]]:
    measures = [(UNITS[unit][0], size * UNITS[unit][1]) for size, unit in factors if unit and UNITS[unit][0] in ("mass", "volume", "length")]
    counts = [size for size, unit in factors if not unit or UNITS[unit][0] in ("piece", "pack")]
    packs = [size for size, unit in factors if not unit or UNITS[unit][0] == "pack"]
    if len(measures) > 1 or not factors or _multiply(counts) > MOST:
        return None
    held: Dict[str, Fraction] = {}
    pieces = _multiply(counts)
    if measures:
        held[measures[0][0]] = measures[0][1] * pieces
    if counts or not measures:
        held["piece"] = pieces
    if packs:
        held["pack"] = _multiply(packs)
    return held


def _multiply(sizes: List[Fraction]) -> Fraction:
    result = Fraction(1)
    for size in sizes:
        result *= size
    return result


def shown(amount: Fraction, dimension: str, unit: Optional[str] = None) -> Dict[str, str]:
    """An amount for people: in `unit` when one is asked for, else kg, L and m from 1000 g, 1000 ml and 100 cm up."""
    if unit is None:
        large = SHOWN_PER[dimension]
        unit = large if amount >= UNITS[large.lower()][1] else BASE_UNIT[dimension]
    text = written(amount / UNITS[unit.lower()][1], 3)
    return {"value": text.rstrip("0").rstrip("."), "unit": unit}
