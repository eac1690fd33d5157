"""Money as whole minor units (fen, cents) of one currency; never a float, never two currencies in one sum."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Dict

import units
from wire import refuse

NO_DECIMALS = set("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split())
THREE_DECIMALS = set("BHD IQD JOD KWD LYD OMR TND".split())
LARGEST = 10**15


def decimals(currency: str) -> int:
    """How many decimals the currency's minor unit has (ISO 4217)."""
    return 0 if currency in NO_DECIMALS else 3 if currency in THREE_DECIMALS else 2


def to_minor(value: Any, currency: str, where: str) -> int:
    """Minor units from "12.90", 12.9 or {"minor": 1290}; refuses what the currency cannot express."""
    if isinstance(value, dict):
        if value.get("currency", currency) != currency:
            raise refuse(where, f"is in {value['currency']}, expected {currency}; amounts are never converted")
        return value["minor"]
    try:
        amount = Decimal(value if isinstance(value, (str, int, Decimal)) else str(value))
    except InvalidOperation as error:
        raise refuse(where, f"`{value}` is no amount") from error
    if not amount.is_finite() or amount.adjusted() > 12:
        raise refuse(where, "is too large")
    scaled = amount.scaleb(decimals(currency))
    if scaled != scaled.to_integral_value():
        raise refuse(where, f"`{value}` has more decimals than {currency} knows ({decimals(currency)})")
    if abs(scaled) > LARGEST:
        raise refuse(where, "is too large")
    return int(scaled)


def written(minor: int, currency: str) -> str:
    """`12.90 CNY`."""
    return f"{Decimal(minor).scaleb(-decimals(currency)):.{decimals(currency)}f} {currency}"


def as_money(minor: int, currency: str) -> Dict[str, Any]:
    """The form that answers carry: whole minor units for programs, a text for people."""
    return {"minor": minor, "currency": currency, "text": written(minor, currency)}


def rate(minor: int, per: Fraction, currency: str) -> str:
    """A price per unit in major units with two more decimals than the currency, rounded half to even."""
    return units.written(Fraction(minor) / (per * 10 ** decimals(currency)), decimals(currency) + 2)


def share(minor: int, percent: Fraction, round_up: bool = False) -> int:
    """`percent` of an amount in whole minor units: down by default (the buyer counts on less), or half up."""
    exact = Fraction(minor) * percent / 100
    return int(exact + Fraction(1, 2)) if round_up else int(exact)
