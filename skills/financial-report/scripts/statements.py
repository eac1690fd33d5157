"""Income statement, balance sheet and cash flow by month, from balanced entries."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from datetime import date
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import accounts
import amounts
from ledger import Account, Book, Posting

Month = str
SECTIONS = [
    ("operating", ["customers", "suppliers", "expenses", "interest_paid", "tax_paid"]), ("investing", ["investments"]), ("financing", ["loans", "owners"]),
]
CUSTOMERS, SUPPLIERS = {"revenue", "receivable", "other_income"}, {"cost_of_sales", "inventory", "payable"}


class Line(NamedTuple):
    """A row of a statement: one amount for each month, and the period's total (None where a sum means nothing)."""

    key: str
    name: Optional[str]
    amounts: List[int]
    total: Optional[int]

    def shown(self, label: str) -> Dict[str, Any]:
        return {"key": self.key, "label": self.name or label, "kind": "account" if self.name else "subtotal", "amounts": self.amounts, "total": self.total}


class Period(NamedTuple):
    """The months that are reported, without gaps."""

    months: List[Month]

    @property
    def first_day(self) -> date:
        return date.fromisoformat(self.months[0] + "-01")

    @property
    def days(self) -> int:
        year, month = map(int, self.months[-1].split("-"))
        return (date(year, month, monthrange(year, month)[1]) - self.first_day).days + 1

    def index(self, day: date) -> Optional[int]:
        """The month's position; -1 before the period, None after it."""
        month = month_of(day)
        return -1 if month < self.months[0] else None if month > self.months[-1] else self.months.index(month)


def month_of(day: date) -> Month:
    """YYYY-MM."""
    return f"{day.year:04d}-{day.month:02d}"


def months_between(first: Month, last: Month) -> List[Month]:
    """Every month from `first` to `last`, both included."""
    found, (year, month) = [], map(int, first.split("-"))
    while f"{year:04d}-{month:02d}" <= last:
        found.append(f"{year:04d}-{month:02d}")
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return found


class Figures:
    """Movements by account and month; debit positive."""

    def __init__(self, book: Book, period: Period):
        self.book, self.period = book, period
        count = len(period.months)
        self.opening: Dict[str, int] = defaultdict(int)
        self.moved: Dict[str, List[int]] = defaultdict(lambda: [0] * count)
        self.closed: Dict[str, List[int]] = defaultdict(lambda: [0] * count)
        self.postings: List[Tuple[int, Posting]] = []
        for posting in (posting for entry in book.entries for posting in entry):
            at = period.index(posting.day)
            if at is None:
                continue
            if at < 0:
                self.opening[posting.account] += posting.amount
            else:
                self.moved[posting.account][at] += posting.amount
                if posting.closing:
                    self.closed[posting.account][at] += posting.amount
                else:
                    self.postings.append((at, posting))

    def of(self, kinds: List[str]) -> List[Account]:
        """The accounts of some kinds, in order of kind and name."""
        mine = [account for account in self.book.accounts.values() if account.kind in kinds]
        return sorted(mine, key=lambda account: (kinds.index(account.kind), account.name))

    def result(self, account: Account) -> List[int]:
        """An income or expense account's monthly figure, positive in its usual direction, closing entries left out."""
        sign = -1 if account.kind in accounts.INCOME else 1
        return [sign * (moved - closed) for moved, closed in zip(self.moved[account.name], self.closed[account.name])]

    def balance(self, name: str) -> List[int]:
        """An account's balance at each month's end; debit positive."""
        running, found = self.opening[name], []
        for moved in self.moved[name]:
            running += moved
            found.append(running)
        return found


def _sum(rows: List[List[int]], count: int) -> List[int]:
    return [sum(row[index] for row in rows) for index in range(count)]


def income_statement(figures: Figures) -> List[Line]:
    """From revenue down to the net profit."""
    count = len(figures.period.months)
    lines: List[Line] = []
    totals: Dict[str, List[int]] = {}

    def add(key: str, amounts_: List[int], name: Optional[str] = None) -> List[int]:
        lines.append(Line(key, name, amounts_, sum(amounts_)))
        return amounts_

    def group(key: str, kinds: List[str]) -> List[int]:
        rows = [add(account.kind, figures.result(account), account.name) for account in figures.of(kinds)]
        totals[key] = add(key, _sum(rows, count))
        return totals[key]

    revenue = group("revenue_total", ["revenue"])
    gross = add("gross_profit", _minus(revenue, group("cost_of_sales_total", ["cost_of_sales"])))
    operating = add("operating_profit", _minus(gross, group("operating_expense_total", ["operating_expense", "depreciation"])))
    other = _minus(group("other_income_total", ["other_income"]), group("other_expense_total", ["other_expense"]))
    before_interest = _minus(operating, [-value for value in other])
    before_tax = add("profit_before_tax", _minus(before_interest, group("interest_total", ["interest"])))
    add("net_profit", _minus(before_tax, group("tax_total", ["tax"])))
    return lines


def _minus(one: List[int], other: List[int]) -> List[int]:
    return [first - second for first, second in zip(one, other)]


def pick(lines: List[Line], key: str) -> Line:
    """The subtotal with this key."""
    return next(line for line in lines if line.key == key and line.name is None)


def balance_sheet(figures: Figures) -> List[Line]:
    """Balances at each month's end; the result not yet closed stands under equity."""
    count = len(figures.period.months)
    lines: List[Line] = []

    def group(key: str, kinds: List[str], sign: int) -> List[int]:
        rows = []
        for account in figures.of(kinds):
            rows.append([sign * value for value in figures.balance(account.name)])
            lines.append(Line(account.kind, account.name, rows[-1], None))
        total = _sum(rows, count)
        lines.append(Line(key, None, total, None))
        return total

    current = group("current_assets", accounts.CURRENT_ASSETS, 1)
    longer = group("long_term_assets", ["fixed_asset", "long_term_asset"], 1)
    lines.append(Line("total_assets", None, _sum([current, longer], count), None))
    owed = [group("current_liabilities", accounts.CURRENT_LIABILITIES, -1), group("long_term_liabilities", ["long_term_debt"], -1)]
    lines.append(Line("total_liabilities", None, _sum(owed, count), None))
    capital = [[-value for value in figures.balance(account.name)] for account in figures.of(["equity"])]
    lines += [Line("equity", account.name, row, None) for account, row in zip(figures.of(["equity"]), capital)]
    kept = _sum([[-value for value in figures.balance(account.name)] for account in figures.of(accounts.RESULT)], count)
    lines.append(Line("accumulated_result", None, kept, None))
    lines.append(Line("total_equity", None, _sum([*capital, kept], count), None))
    lines.append(Line("liabilities_and_equity", None, _sum([*owed, *capital, kept], count), None))
    return lines


def cash_flow(figures: Figures) -> List[Line]:
    """Cash in and out by the direct method: every entry that moves cash is divided among what it was for."""
    count = len(figures.period.months)
    parts: Dict[str, List[int]] = defaultdict(lambda: [0] * count)
    cash = {account.name for account in figures.of(["cash"])}
    for entry in figures.book.entries:
        at = figures.period.index(entry[0].day)
        moved = sum(posting.amount for posting in entry if posting.account in cash)
        if at is not None and at >= 0 and moved:
            for kind, part in _divide(entry, cash, moved, figures.book.accounts):
                parts[_purpose(kind)][at] += part
    lines: List[Line] = []
    nets = []
    for section, keys in SECTIONS:
        rows = [parts[key] for key in keys]
        lines += [Line(key, None, row, sum(row)) for key, row in zip(keys, rows) if any(row)]
        nets.append(_sum(rows, count))
        lines.append(Line(f"{section}_cash", None, nets[-1], sum(nets[-1])))
    change = _sum(nets, count)
    opening = sum(figures.opening[name] for name in cash)
    closing = _sum([figures.balance(name) for name in sorted(cash)], count)
    lines.append(Line("cash_change", None, change, sum(change)))
    lines.append(Line("cash_opening", None, [opening, *closing[:-1]], opening))
    lines.append(Line("cash_closing", None, closing, closing[-1]))
    return lines


def _divide(entry: List[Posting], cash: set, moved: int, known: Dict[str, Account]) -> List[Tuple[str, int]]:
    """The cash moved, spread over the lines of the other side that explain it."""
    sign = 1 if moved > 0 else -1
    others = [posting for posting in entry if posting.account not in cash and posting.amount * sign < 0]
    weights = [abs(posting.amount) for posting in others]
    return [(known[posting.account].kind, sign * part) for posting, part in zip(others, amounts.spread(abs(moved), weights))]


def _purpose(kind: str) -> str:
    if kind in CUSTOMERS:
        return "customers"
    if kind in SUPPLIERS:
        return "suppliers"
    return {
        "interest": "interest_paid", "tax": "tax_paid", "fixed_asset": "investments", "long_term_asset": "investments",
        "short_term_debt": "loans", "long_term_debt": "loans", "equity": "owners",
    }.get(kind, "expenses")
