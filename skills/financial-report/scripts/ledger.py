"""From a CSV of entries to balanced postings: double-entry journals and plain cash books."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from datetime import date
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import accounts
import amounts
from wire import Problem, Refused, refuse

ROWS_LIMIT = 200_000
PROBLEMS_LIMIT = 100
HEADERS = {
    "date": {"date", "posting date", "booking date", "日期", "记账日期", "凭证日期", "交易日期"},
    "entry": {"entry", "entry no", "voucher", "journal", "reference", "ref", "id", "no", "凭证号", "凭证字号", "编号", "流水号"},
    "account": {"account", "account name", "category", "科目", "会计科目", "科目名称", "类别", "分类", "账户"},
    "class": {"class", "type", "account type", "kind", "科目类别", "类型"},
    "debit": {"debit", "dr", "借方", "借方金额", "借"},
    "credit": {"credit", "cr", "贷方", "贷方金额", "贷"},
    "amount": {"amount", "value", "sum", "金额", "发生额", "收支金额"},
    "memo": {"memo", "description", "text", "details", "narration", "note", "摘要", "说明", "备注", "用途"},
}
_DATES = [
    (re.compile(r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$"), (1, 2, 3)), (re.compile(r"^(\d{4})年(\d{1,2})月(\d{1,2})日?$"), (1, 2, 3)),
    (re.compile(r"^(\d{1,2})\.(\d{1,2})\.(\d{4})$"), (3, 2, 1)), (re.compile(r"^(\d{4})(\d{2})(\d{2})$"), (1, 2, 3)),
]
_TWO_ORDERS = re.compile(r"^(\d{1,2})[-/](\d{1,2})[-/](\d{4})$")
CLOSING = re.compile(r"^\s*(?:closing|year[- ]end clos|结转(?:本年|本期|损益)|期末结转)", re.IGNORECASE)


class Posting(NamedTuple):
    """One line of an entry; debit is positive, in minor units; `line` counts the CSV's lines from one."""

    day: date
    entry: str
    account: str
    amount: int
    memo: str
    line: int
    closing: bool


class Account(NamedTuple):
    """An account, its kind, and how the kind is known: given, column or guessed."""

    name: str
    kind: str
    source: str


class Book(NamedTuple):
    """Everything read from one CSV: balanced entries in order of their days, and the accounts."""

    entries: List[List[Posting]]
    accounts: Dict[str, Account]
    form: str


def read(given: Dict[str, Any]) -> Book:
    """Reads and checks the whole CSV; refuses with every problem and its line."""
    rows, header = _rows(given["csv"])
    form = "journal" if {"debit", "credit"} <= set(header) else "cashbook" if "amount" in header else ""
    for key in ("date", "account"):
        if key not in header:
            raise refuse("input.csv", f"has no column for the {key}; name it `{key}`")
    if not form:
        raise refuse("input.csv", "has neither the columns `debit` and `credit` (journal) nor `amount` (cash book)")
    reader = _Reader(given, header, form)
    for line, row in rows:
        reader.take(line, row)
        if len(reader.problems) >= PROBLEMS_LIMIT:
            break
    return reader.book()


def _rows(text: str) -> Tuple[List[Tuple[int, List[str]]], Dict[str, int]]:
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t", key=first.count)
    csv.field_size_limit(100_000)
    reader = csv.reader(io.StringIO(text.replace("\x00", "")), delimiter=delimiter)
    rows: List[Tuple[int, List[str]]] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((reader.line_num, row))
            if len(rows) > ROWS_LIMIT:
                raise refuse("input.csv", f"has more than {ROWS_LIMIT} rows; split it by year")
    except csv.Error as error:
        raise refuse("input.csv", f"line {reader.line_num}: {error}") from error
    if len(rows) < 2:
        raise refuse("input.csv", "needs a heading line and at least one entry")
    header: Dict[str, int] = {}
    for index, cell in enumerate(rows[0][1]):
        plain = unicodedata.normalize("NFKC", cell).strip().strip("\ufeff").lower().rstrip(".")
        for key, words in HEADERS.items():
            if plain in words:
                header.setdefault(key, index)
    return rows[1:], header


class _Reader:
    """Turns rows into postings and keeps the problems met on the way."""

    def __init__(self, given: Dict[str, Any], header: Dict[str, int], form: str):
        self.given, self.header, self.form = given, header, form
        self.currency, self.point = given["currency"], given.get("decimal", ".")
        self.kinds = {raw["name"]: raw["class"] for raw in given.get("accounts", [])}
        self.cash = given.get("cash_account") or {"en": "Cash", "zh": "现金"}[given.get("lang", "en")]
        self.dates = given.get("dates", "ymd")
        self.found: Dict[str, Account] = {}
        self.problems: List[Problem] = []
        self.numbered: Dict[Tuple[str, date], List[Posting]] = {}
        self.open: List[Posting] = []
        self.open_total = 0
        self.groups: List[List[Posting]] = []

    def cell(self, row: List[str], key: str) -> str:
        index = self.header.get(key)
        return row[index].strip() if index is not None and index < len(row) else ""

    def fail(self, line: int, what: str) -> None:
        self.problems.append(Problem(f"input.csv line {line}", what))

    def take(self, line: int, row: List[str]) -> None:
        day, account = _day(self.cell(row, "date"), self.dates), self.cell(row, "account")
        amount = self._amount(line, row)
        if day is None:
            self.fail(line, f"`{self.cell(row, 'date')[:40]}` is no date; {_help(self.cell(row, 'date'))}")
        if not account:
            self.fail(line, "has no account")
        if day is None or not account or amount is None:
            return
        self._kind(line, account, self.cell(row, "class"))
        entry, memo = self.cell(row, "entry"), self.cell(row, "memo")
        posting = Posting(day, entry, account, amount, memo, line, bool(CLOSING.match(entry) or CLOSING.match(memo)))
        if self.form == "cashbook":
            self.found.setdefault(self.cash, Account(self.cash, "cash", "given"))
            self.groups.append([posting._replace(account=self.cash, amount=amount), posting._replace(amount=-amount)])
        else:
            self._collect(posting)

    def _amount(self, line: int, row: List[str]) -> Optional[int]:
        if self.form == "cashbook":
            return self._one(line, self.cell(row, "amount"), "amount")
        debit, credit = self.cell(row, "debit"), self.cell(row, "credit")
        sides = [self._one(line, text, name) if text else 0 for text, name in ((debit, "debit"), (credit, "credit"))]
        if None in sides:
            return None
        if sides[0] and sides[1]:
            self.fail(line, "has a debit and a credit; put them on two lines")
            return None
        return (sides[0] or 0) - (sides[1] or 0)

    def _one(self, line: int, text: str, name: str) -> Optional[int]:
        value = amounts.read(text, self.currency, self.point)
        if value is None:
            self.fail(line, f"`{text[:40]}` is no {name} in {self.currency} with `{self.point}` as decimal mark")
        return value

    def _kind(self, line: int, name: str, word: str) -> None:
        if name in self.found:
            return
        if name in self.kinds:
            self.found[name] = Account(name, self.kinds[name], "given")
            return
        kind, source = (accounts.known(word), "column") if word else (accounts.guess(name), "guessed")
        if kind is None:
            said = f"`{word[:40]}` is no class of accounts" if word else "it is not clear what kind of account it is"
            self.fail(line, f"account `{name[:60]}`: {said}; add it to `accounts` with one of {', '.join(accounts.CLASSES)}")
            kind = "operating_expense"
        self.found[name] = Account(name, kind, source)

    def _collect(self, posting: Posting) -> None:
        """Groups lines into entries: by number and day, or, without a number, until they balance."""
        if posting.entry:
            self.numbered.setdefault((posting.entry, posting.day), []).append(posting)
            return
        self.open.append(posting)
        self.open_total += posting.amount
        if self.open_total == 0:
            self.groups.append(self.open)
            self.open = []

    def _close(self, postings: List[Posting]) -> None:
        total = sum(item.amount for item in postings)
        if total:
            first = postings[0]
            name = f"entry `{first.entry}` of {first.day}" if first.entry else f"the entry of {first.day}"
            side = "debits" if total > 0 else "credits"
            self.fail(first.line, f"{name} does not balance: {side} are {amounts.written(abs(total), self.currency)} higher")
        else:
            self.groups.append(postings)

    def book(self) -> Book:
        """The whole book, or the refusal; sums are only judged when every line could be read."""
        if not self.problems:
            for postings in [*self.numbered.values(), *([self.open] if self.open else [])]:
                self._close(postings)
        if self.problems:
            raise Refused(*sorted(self.problems, key=lambda problem: int(problem.where.rsplit(" ", 1)[-1])))
        return Book(sorted(self.groups, key=lambda group: (group[0].day, group[0].line)), self.found, self.form)


def _help(text: str) -> str:
    both = _TWO_ORDERS.match(unicodedata.normalize("NFKC", text).strip())
    return "say with `dates` which comes first, the month (mdy) or the day (dmy)" if both else "write YYYY-MM-DD"


def _day(text: str, order: str) -> Optional[date]:
    plain = unicodedata.normalize("NFKC", text).strip().split(" ")[0].split("T")[0]
    own = {"mdy": [(_TWO_ORDERS, (3, 1, 2))], "dmy": [(_TWO_ORDERS, (3, 2, 1))]}.get(order, [])
    for pattern, (year, month, day) in own + _DATES:
        match = pattern.match(plain)
        if match:
            try:
                return date(int(match.group(year)), int(match.group(month)), int(match.group(day)))
            except ValueError:
                return None
    return None
