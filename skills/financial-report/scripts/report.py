#!/usr/bin/env python3
"""Makes statements, ratios, charts and variance notes from a CSV of bookkeeping entries."""

from __future__ import annotations

import argparse
import re
from fractions import Fraction
from pathlib import Path
from typing import Any, Dict, List, Optional

import accounts
import amounts
import charts
import ledger
import measures
import statements
import wire
from statements import Line, Period, month_of
from words import say

MONTHS_LIMIT = 60
OPTIONAL = {  # subtotals that are left out of the text when they are zero throughout
    "other_income_total", "other_expense_total", "interest_total", "tax_total", "long_term_assets", "long_term_liabilities", "investing_cash", "financing_cash",
}


def report(given: Dict[str, Any]) -> Dict[str, Any]:
    """The whole report for one CSV."""
    book = ledger.read(given)
    lang, currency = given.get("lang", "en"), given["currency"]
    figures = statements.Figures(book, _period(given, book))
    income, balance, cash = statements.income_statement(figures), statements.balance_sheet(figures), statements.cash_flow(figures)
    rules = given.get("variance", {})
    limits = (_minor(rules.get("amount", 0), currency, "input.variance.amount"), Fraction(str(rules.get("percent", 10))))
    answer = {
        "company": given.get("company"), "currency": currency, "decimals": amounts.places(currency), "lang": lang, "months": figures.period.months,
        "entries": len(book.entries), "form": book.form, "checks": _checks(balance, cash),
        "accounts": [{"name": account.name, "class": account.kind, "source": account.source} for account in figures.of(accounts.CLASSES)],
        "income_statement": _shown(income, lang), "balance_sheet": _shown(balance, lang), "cash_flow": _shown(cash, lang),
        "ratios": measures.ratios(figures, income, balance, cash, lang),
        "variances": measures.variances(figures, income, limits, lang, currency),
        "budget": measures.against_budget(figures, income, _budget(given, book), lang),
        "remarks": measures.remarks(figures, balance, cash, lang, currency),
        "charts": charts.draw(income, cash, figures.period.months, currency, lang),
    }
    return {**answer, "markdown": _markdown(answer)}


def _period(given: Dict[str, Any], book: ledger.Book) -> Period:
    days = [entry[0].day for entry in book.entries]
    wanted = given.get("period", {})
    first, last = wanted.get("from", month_of(min(days))), wanted.get("to", month_of(max(days)))
    if first > last:
        raise wire.refuse("input.period", f"starts ({first}) after it ends ({last})")
    months = statements.months_between(first, last)
    if len(months) > MONTHS_LIMIT:
        raise wire.refuse("input.period", f"covers {len(months)} months; choose at most {MONTHS_LIMIT} with period.from and period.to")
    return Period(months)


def _minor(value: Any, currency: str, where: str) -> int:
    minor = amounts.read(str(value), currency, ".")
    if minor is None:
        raise wire.refuse(where, f"`{value}` is no amount in {currency}")
    return minor


def _budget(given: Dict[str, Any], book: ledger.Book) -> Dict[str, int]:
    found = {}
    for name, value in given.get("budget", {}).items():
        if name not in book.accounts or book.accounts[name].kind not in accounts.RESULT:
            raise wire.refuse(f"input.budget.{name}", "is no income or expense account of these entries")
        found[name] = _minor(value, given["currency"], f"input.budget.{name}")
    return found


def _checks(balance: List[Line], cash: List[Line]) -> Dict[str, bool]:
    """Two sums that must agree however the entries look."""
    pick = statements.pick
    change, opening, closing = pick(cash, "cash_change").amounts, pick(cash, "cash_opening").amounts, pick(cash, "cash_closing").amounts
    return {
        "balance_sheet_balances": pick(balance, "total_assets").amounts == pick(balance, "liabilities_and_equity").amounts,
        "cash_flow_reconciles": [first + moved for first, moved in zip(opening, change)] == closing,
    }


def _shown(lines: List[Line], lang: str) -> List[Dict[str, Any]]:
    return [line.shown(say(line.key, lang)) for line in lines]


# --- Markdown -----------------------------------------------------------------------------------------------------


def _markdown(answer: Dict[str, Any]) -> str:
    lang, currency, months = answer["lang"], answer["currency"], answer["months"]
    title = " · ".join(part for part in (_cell(answer["company"] or ""), say("report", lang)) if part)
    lines = [f"# {title}", "", f"{months[0]} – {months[-1]}. {say('amounts_in', lang, currency=currency)}."]
    for key, name, with_total in (("income_statement", "income", True), ("balance_sheet", "balance", False), ("cash_flow", "cash", True)):
        lines += ["", f"## {say(name, lang)}", "", *_statement(answer[key], months, currency, lang, with_total)]
    head = [say(key, lang) for key in ("ratio", "value", "formula")]
    lines += ["", f"## {say('ratios', lang)}", "", *_table(head, [_ratio(row, lang) for row in answer["ratios"]])]
    notes = [row["note"] for row in answer["variances"] if row["flagged"] and row["to"] == months[-1]]
    lines += ["", f"## {say('variances', lang)}", "", *([f"- {_cell(note)}" for note in notes] or [say("none", lang)])]
    if answer["budget"]:
        head = [say(key, lang) for key in ("line", "planned", "actual", "difference")]
        lines += ["", f"## {say('budget', lang)}", "", *_table(head, [_budget_row(row, currency, lang) for row in answer["budget"]])]
    lines += ["", f"## {say('remarks', lang)}", "", *([f"- {_cell(row['text'])}" for row in answer["remarks"]] or [say("none", lang)])]
    lines += ["", f"## {say('charts', lang)}", "", *(f"![{chart['title']}]({chart['id']}.svg)" for chart in answer["charts"])]
    return "\n".join(lines) + "\n"


def _statement(rows: List[Dict[str, Any]], months: List[str], currency: str, lang: str, with_total: bool) -> List[str]:
    head = [say("line", lang), *months, *([say("total", lang)] if with_total else [])]
    body = []
    for row in rows:
        if row["key"] in OPTIONAL and not any(row["amounts"]):
            continue
        values = [*row["amounts"], *([row["total"]] if with_total else [])]
        cells = [_cell(row["label"]), *("" if value is None else amounts.written(value, currency) for value in values)]
        body.append(cells if row["kind"] == "account" else [f"**{cell}**" if cell else "" for cell in cells])
    return _table(head, body, right_from=1)


def _table(head: List[str], rows: List[List[str]], right_from: Optional[int] = None) -> List[str]:
    rule = ["---:" if right_from is not None and index >= right_from else "---" for index in range(len(head))]
    return [f"| {' | '.join(row)} |" for row in [head, rule, *rows]]


def _ratio(row: Dict[str, Any], lang: str) -> List[str]:
    return [row["label"], f"– ({row['reason']})" if row["value"] is None else f"{row['value']} {say(row['unit'], lang)}", row["formula"]]


def _budget_row(row: Dict[str, Any], currency: str, lang: str) -> List[str]:
    verdict = "" if row["favourable"] is None else f" ({say('better' if row['favourable'] else 'worse', lang)})"
    percent = "" if row["percent"] is None else f", {row['percent']} %"
    planned, actual, change = (amounts.written(row[key], currency) for key in ("planned", "actual", "change"))
    return [_cell(row["label"]), planned, actual, change + percent + verdict]


def _cell(text: str) -> str:
    """Foreign text on one line, harmless in a Markdown table."""
    plain = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return re.sub(r"([\\`*_\[\]|<>])", r"\\\1", plain)


# --- command line -------------------------------------------------------------------------------------------------


def check(given: Dict[str, Any]) -> Dict[str, Any]:
    """Whether the CSV can be reported on, and how its accounts are understood."""
    try:
        book = ledger.read(given)
    except wire.Refused as refusal:
        problems = [{"where": problem.where, "what": problem.what} for problem in refusal.problems]
        return {"ok": False, "entries": 0, "months": [], "accounts": [], "problems": problems}
    months = sorted({month_of(entry[0].day) for entry in book.entries})
    known = [{"name": account.name, "class": account.kind, "source": account.source} for account in book.accounts.values()]
    return {"ok": True, "entries": len(book.entries), "months": months, "accounts": known, "problems": []}


def _csv_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--csv", metavar="FILE", help="the entries, instead of JSON input")
    parser.add_argument("--currency", default="CNY", help="ISO 4217 code (with --csv; default CNY)")
    parser.add_argument("--lang", choices=["en", "zh"], default="en", help="language of the report (with --csv)")
    parser.add_argument("--decimal", choices=[".", ","], default=".", help="decimal mark in the CSV (with --csv)")
    parser.add_argument("--dates", choices=["ymd", "mdy", "dmy"], default="ymd", help="what 01/05/2026 means: month first or day first (with --csv)")


def _report_arguments(parser: argparse.ArgumentParser) -> None:
    _csv_arguments(parser)
    parser.add_argument("--charts", metavar="FOLDER", help="write the SVG charts and report.md into this folder as well")


def _from_file(args: argparse.Namespace) -> Optional[Dict[str, Any]]:
    if args.csv is None:
        return None
    return {"csv": wire.read_text(args.csv, "--csv"), "currency": args.currency, "lang": args.lang, "decimal": args.decimal, "dates": args.dates}


def _report(given: Dict[str, Any], args: argparse.Namespace) -> Dict[str, Any]:
    answer = report(given)
    if args.charts:
        for chart in answer["charts"]:
            wire.write_file(str(Path(args.charts) / f"{chart['id']}.svg"), chart["svg"])
        wire.write_file(str(Path(args.charts) / "report.md"), answer["markdown"])
    return answer


VERBS = {
    "report": wire.Verb(_report, "make the report", "report.in.json", _report_arguments, plain=_from_file),
    "check": wire.Verb(
        lambda given, _: check(given), "check the entries and show how accounts are understood", "report.in.json", _csv_arguments,
        failed=lambda answer: not answer["ok"], plain=_from_file),
}

if __name__ == "__main__":
    raise SystemExit(wire.main(__doc__ or "", VERBS))
