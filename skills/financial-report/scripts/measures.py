"""Ratios with their formulas, month-over-month and budget variances with what drives them, and remarks on odd entries."""

from __future__ import annotations

import re
from collections import defaultdict
from fractions import Fraction
from typing import Any, Dict, List, Optional, Tuple

import accounts
import amounts
from ledger import Account
from statements import Figures, Line, pick
from words import say

DRIVERS = 3
_TIMES = re.compile(
    r"\b(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b"
    r"|[一二三四五六七八九十]{1,2}月|\d+\s*[年月日]?|[./#-]", re.IGNORECASE)


def ratios(figures: Figures, income: List[Line], balance: List[Line], cash: List[Line], lang: str) -> List[Dict[str, Any]]:
    """Key ratios of the period; a value that cannot be computed is null and says why."""
    def period(key: str) -> int:
        return pick(income, key).total or 0

    def end(key: str) -> int:
        return pick(balance, key).amounts[-1]

    def held(kinds: List[str], sign: int = 1) -> int:
        return sum(sign * figures.balance(account.name)[-1] for account in figures.of(kinds))

    def known(kind: str, amount: int) -> int:
        return amount if figures.of([kind]) else 0

    days, months = figures.period.days, len(figures.period.months)
    sales, cost = period("revenue_total"), period("cost_of_sales_total")
    operating_cash = pick(cash, "operating_cash").total or 0
    burn = -(operating_cash + (pick(cash, "investing_cash").total or 0))
    rows: List[Tuple[str, int, int, str, int]] = [
        ("gross_margin", period("gross_profit") * 100, sales, "percent", 1),
        ("operating_margin", period("operating_profit") * 100, sales, "percent", 1),
        ("net_margin", period("net_profit") * 100, sales, "percent", 1),
        ("current_ratio", end("current_assets"), end("current_liabilities"), "times", 2),
        ("quick_ratio", held(["cash", "receivable"]), end("current_liabilities"), "times", 2),
        ("debt_to_equity", end("total_liabilities"), end("total_equity"), "times", 2),
        ("interest_cover", period("operating_profit"), period("interest_total"), "times", 1),
        ("receivable_days", held(["receivable"]) * days, known("receivable", sales), "days", 0),
        ("inventory_days", held(["inventory"]) * days, known("inventory", cost), "days", 0),
        ("payable_days", held(["payable"], -1) * days, known("payable", cost), "days", 0),
        ("cash_conversion", operating_cash * 100, period("net_profit"), "percent", 1),
        ("runway", pick(cash, "cash_closing").amounts[-1] * months, burn, "months", 1),
    ]
    return [_ratio(key, above, below, unit, digits, lang) for key, above, below, unit, digits in rows]


def _ratio(key: str, above: int, below: int, unit: str, digits: int, lang: str) -> Dict[str, Any]:
    value = amounts.rounded(Fraction(above, below), digits) if below > 0 else None
    reason = None if value is not None else say(f"no_{key}", lang)
    return {"key": key, "label": say(key, lang), "value": value, "unit": unit, "formula": say(f"how_{key}", lang), "reason": reason}


# --- variances ----------------------------------------------------------------------------------------------------


def variances(figures: Figures, income: List[Line], limits: Tuple[int, Fraction], lang: str, currency: str) -> List[Dict[str, Any]]:
    """Each line of the income statement against the month before, for every month but the first."""
    found = []
    for at in range(1, len(figures.period.months)):
        for line in income:
            if line.amounts[at] or line.amounts[at - 1]:
                found.append(_variance(figures, line, at, limits, lang, currency))
    return found


def _variance(figures: Figures, line: Line, at: int, limits: Tuple[int, Fraction], lang: str, currency: str) -> Dict[str, Any]:
    before, after = line.amounts[at - 1], line.amounts[at]
    change = after - before
    percent = Fraction(change * 100, abs(before)) if before else None
    flagged = abs(change) >= limits[0] and (percent is None or abs(percent) >= limits[1]) and change != 0
    drivers = _drivers(figures, line.name, at, change) if line.name and flagged else []
    months = figures.period.months
    row = {
        "key": line.key, "label": line.name or say(line.key, lang), "kind": "account" if line.name else "subtotal", "from": months[at - 1], "to": months[at],
        "before": before, "after": after, "change": change, "percent": None if percent is None else amounts.rounded(percent, 1),
        "favourable": None if change == 0 else (change > 0) == _good_when_higher(line.key), "flagged": flagged, "drivers": drivers, "note": None,
    }
    if flagged:
        row["note"] = _sentence(row, lang, currency)
    return row


def _good_when_higher(key: str) -> bool:
    return key in accounts.INCOME or key in ("revenue_total", "gross_profit", "operating_profit", "other_income_total", "profit_before_tax", "net_profit")


def _drivers(figures: Figures, name: str, at: int, change: int) -> List[Dict[str, Any]]:
    """The texts whose sums moved most in the direction of the change, with their lines in the CSV; months and numbers in a text do not count."""
    account: Account = figures.book.accounts[name]
    sign = -1 if account.kind in accounts.INCOME else 1
    sums: Dict[str, int] = defaultdict(int)
    lines: Dict[str, List[int]] = defaultdict(list)
    texts: Dict[str, str] = {}
    for month, posting in figures.postings:
        if posting.account == name and month in (at - 1, at):
            key = _TIMES.sub("", posting.memo.lower()).strip()
            texts[key] = posting.memo or posting.entry or "-"
            sums[key] += sign * posting.amount * (1 if month == at else -1)
            lines[key].append(posting.line)
    moved = [(key, amount) for key, amount in sums.items() if amount and (amount > 0) == (change > 0)]
    moved.sort(key=lambda item: (-abs(item[1]), item[0]))
    return [{"memo": texts[key][:200], "amount": amount, "lines": lines[key][:20]} for key, amount in moved[:DRIVERS]]


def _sentence(row: Dict[str, Any], lang: str, currency: str) -> str:
    direction = "rose" if row["change"] > 0 else "fell"
    percent = "" if row["percent"] is None else f" ({'+' if row['change'] > 0 else ''}{row['percent']} %)"
    text = say(direction, lang, label=row["label"], amount=amounts.written(abs(row["change"]), currency), percent=percent, before=row["from"], after=row["to"])
    if row["drivers"]:
        first = row["drivers"][0]
        text += say("mostly", lang, memo=first["memo"], amount=amounts.written(first["amount"], currency), line=first["lines"][-1])
    return text + say("stop", lang)


def against_budget(figures: Figures, income: List[Line], budget: Dict[str, int], lang: str) -> List[Dict[str, Any]]:
    """The period's total of each budgeted account against its monthly budget times the months."""
    months = len(figures.period.months)
    found = []
    for line in income:
        if line.name in budget:
            planned, actual = budget[line.name] * months, line.total or 0
            percent = amounts.rounded(Fraction((actual - planned) * 100, abs(planned)), 1) if planned else None
            good = None if actual == planned else (actual > planned) == _good_when_higher(line.key)
            found.append({"label": line.name, "planned": planned, "actual": actual, "change": actual - planned, "percent": percent, "favourable": good})
    return found


# --- remarks ------------------------------------------------------------------------------------------------------


def remarks(figures: Figures, balance: List[Line], cash: List[Line], lang: str, currency: str) -> List[Dict[str, str]]:
    """What a careful reader would ask about."""
    found: List[Dict[str, str]] = []

    def add(code: str, **values: Any) -> None:
        found.append({"code": code, "text": say(code, lang, **values)})

    guessed = [account for account in figures.book.accounts.values() if account.source == "guessed"]
    if guessed:
        add("guessed", accounts=", ".join(f"{account.name} → {account.kind}" for account in guessed[:30]), count=len(guessed))
    for account in figures.of(["cash"]):
        low = [month for month, value in zip(figures.period.months, figures.balance(account.name)) if value < 0]
        if low:
            add("cash_negative", account=account.name, month=low[0])
    if pick(balance, "total_equity").amounts[-1] < 0:
        add("equity_negative", amount=amounts.written(pick(balance, "total_equity").amounts[-1], currency))
    for month, empty in zip(figures.period.months, _empty(figures)):
        if empty:
            add("month_empty", month=month)
    for first, second in _twins(figures):
        add("twins", first=first, second=second)
    if figures.book.form == "cashbook":
        add("cashbook")
    return found


def _empty(figures: Figures) -> List[bool]:
    busy = {month for month, _ in figures.postings}
    return [index not in busy for index in range(len(figures.period.months))]


def _twins(figures: Figures) -> List[Tuple[int, int]]:
    """Lines that repeat day, account, amount and text of an earlier line in another entry."""
    seen: Dict[Tuple[Any, ...], Tuple[int, str]] = {}
    found = []
    cash = {account.name for account in figures.of(["cash"])}
    for _, posting in figures.postings:
        if posting.account in cash or not posting.memo:
            continue
        key = (posting.day, posting.account, posting.amount, posting.memo)
        if key in seen and seen[key][0] != posting.line:
            found.append((seen[key][0], posting.line))
        seen.setdefault(key, (posting.line, posting.entry))
    return found[:20]
