"""Entries, statements, ratios, variances and charts of financial-report."""

from __future__ import annotations

import random
import tempfile
import unittest
import xml.etree.ElementTree as xml
from fractions import Fraction
from pathlib import Path

import support

SKILL = "financial-report"
REPORT, CHECK = support.tool(SKILL, "report"), support.tool(SKILL, "check")
amounts = support.module(SKILL, "amounts")
accounts = support.module(SKILL, "accounts")
CLASSES = {"Bank": "cash", "Sales": "revenue", "Rent": "operating_expense", "Capital": "equity", "Loan": "long_term_debt", "Machine": "fixed_asset", "Customers": "receivable",
           "Goods": "inventory", "Used goods": "cost_of_sales", "Suppliers": "payable", "Fees": "other_expense", "Tax": "tax", "Interest": "interest"}


def journal(*entries, head="date,entry,account,debit,credit,memo"):
    """Entries as (day, [(account, amount)], memo); amounts in major units, debit positive."""
    rows = [head]
    for number, (day, lines, *memo) in enumerate(entries, start=1):
        for account, amount in lines:
            debit, credit = (amount, "") if amount >= 0 else ("", -amount)
            rows.append(f"{day},{number},{account},{debit},{credit},{memo[0] if memo else ''}")
    return "\n".join(rows)


def report(csv, **more):
    known = [{"name": name, "class": kind} for name, kind in CLASSES.items()]
    result = support.run(REPORT, {"csv": csv, "currency": "EUR", "accounts": known, **more})
    assert result.code == 0, result.err
    answer = result.json()
    assert answer["checks"] == {"balance_sheet_balances": True, "cash_flow_reconciles": True}
    return answer


def refused(csv, **more):
    result = support.run(REPORT, {"csv": csv, "currency": "EUR", **more})
    assert result.code == 3, result
    return result.err


def line(answer, statement, key):
    return next(row["amounts"] for row in answer[statement] if row["key"] == key and row["kind"] == "subtotal")


class Amounts(unittest.TestCase):
    def test_ways_to_write_them(self):
        cases = [
            ("1234.5", ".", 123450), ("1,234.50", ".", 123450), ("(99.00)", ".", -9900), ("-12", ".", -1200), ("+12", ".", 1200), ("¥1,000", ".", 100000), ("€ 5.10", ".", 510),
            ("5.10 EUR", ".", 510), ("１２．５", ".", 1250), ("1.234,50", ",", 123450), ("1 234,50", ",", 123450), ("1'234,50", ",", 123450), ("12,5", ",", 1250), ("0", ".", 0), ("\u22123", ".", -300),
            ("-€5", ".", -500), ("12.340", ".", 1234), ("100元", ".", 10000),
        ]
        for text, point, minor in cases:
            with self.subTest(text):
                self.assertEqual(amounts.read(text, "EUR", point), minor)

    def test_no_amounts(self):
        for text, point in [("abc", "."), ("1.234", "."), ("1,23", "."), ("12,345", ","), ("1.2", ","), ("--1", "."), ("", "."), ("1e5", "."), ("1,2345.00", "."), ("1" * 17, "."), ("²", ","), ("1 2", ".")]:
            with self.subTest(text):
                self.assertIsNone(amounts.read(text, "EUR", point))

    def test_other_currencies(self):
        self.assertEqual(amounts.read("1.5", "JPY", "."), None)
        self.assertEqual(amounts.read("1.234", "KWD", "."), 1234)
        self.assertEqual((amounts.written(-123450, "EUR"), amounts.written(1234, "JPY"), amounts.written(5, "EUR")), ("-1,234.50", "1,234", "0.05"))

    def test_spreading_loses_nothing(self):
        chance = random.Random(3)
        for _ in range(300):
            total, weights = chance.randrange(0, 10_000), [chance.randrange(1, 500) for _ in range(chance.randrange(1, 7))]
            parts = amounts.spread(total, weights)
            self.assertEqual(sum(parts), total)
            self.assertTrue(all(abs(part - Fraction(total * weight, sum(weights))) < 1 for part, weight in zip(parts, weights)))


class Reading(unittest.TestCase):
    def test_separators_dates_and_headings(self):
        cases = [
            "date,account,debit,credit\n2025-01-02,Bank,5,\n2025-01-02,Sales,,5", "Date;Account;Debit;Credit\n02.01.2025;Bank;5;\n02.01.2025;Sales;;5",
            "日期\t科目\t借方\t贷方\n2025年1月2日\tBank\t5\t\n2025/1/2\tSales\t\t5", "\ufeffDate,Account,Dr.,Cr.\n20250102,Bank,5,0\n20250102,Sales,0,5\n\n,,,\n",
            'date,account,amount\n2025-01-02T10:00:00,Sales,"5.00"',
        ]
        for csv in cases:
            with self.subTest(csv):
                answer = report(csv, cash_account="Bank")
                self.assertEqual((answer["months"], line(answer, "income_statement", "net_profit")), (["2025-01"], [500]))

    def test_refusals_name_the_line(self):
        head = "date,account,debit,credit\n"
        cases = [
            ("account,amount\nSales,5", "no column for the date"), ("date,account\n2025-01-01,Sales", "neither the columns"), ("date,account,amount\n", "at least one entry"),
            (head + "1/2/2025,Bank,5,\n2025-01-02,Sales,,5", "line 2: `1/2/2025` is no date"), (head + "2025-02-30,Bank,5,", "line 2: `2025-02-30`"), (head + "2025-01-02,,5,", "line 2: has no account"),
            (head + "2025-01-02,Bank,x,", "line 2: `x` is no debit"), (head + "2025-01-02,Bank,5,6", "a debit and a credit"), (head + "2025-01-02,Bank,5,\n2025-01-02,Sales,,4", "does not balance: debits are 1.00 higher"),
            (head + "2025-01-02,Blob,5,\n2025-01-02,Sales,,5", "account `Blob`: it is not clear"),
            ("date,account,class,amount\n2025-01-02,Blob,weird,5", "`weird` is no class"),
            ("date,account,amount\n" + "\n".join(f"{year}-01-02,Sales,5" for year in (2010, 2020)), "covers 121 months"),
        ]
        for csv, part in cases:
            with self.subTest(csv):
                self.assertIn(part, refused(csv))
        self.assertIn("input.period", refused("date,account,amount\n2025-01-02,Sales,5", period={"from": "2025-02"}))
        self.assertIn("input.budget.Nope", refused("date,account,amount\n2025-01-02,Sales,5", budget={"Nope": "5"}))

    def test_kinds_of_accounts(self):
        cases = [
            ("Sales revenue", "revenue"), ("Cost of sales", "cost_of_sales"), ("Accounts payable", "payable"), ("Wages payable", "current_liability"), ("VAT payable", "current_liability"), ("Bank fees", "operating_expense"),
            ("Bank", "cash"), ("Interest expense", "interest"), ("Interest income", "other_income"), ("Income tax", "tax"), ("Accumulated depreciation", "fixed_asset"), ("Depreciation", "depreciation"), ("Mortgage", "long_term_debt"),
            ("银行存款", "cash"), ("应收账款", "receivable"), ("应付职工薪酬", "current_liability"), ("主营业务收入", "revenue"), ("主营业务成本", "cost_of_sales"), ("管理费", "operating_expense"), ("实收资本", "equity"),
            ("短期借款", "short_term_debt"), ("固定资产", "fixed_asset"), ("利息收入", "other_income"), ("Blob", None),
        ]
        for name, kind in cases:
            with self.subTest(name):
                self.assertEqual(accounts.guess(name), kind)

    def test_a_column_beats_a_guess_and_the_input_beats_both(self):
        csv = "date,account,class,amount\n2025-01-02,Sales,liability,5\n2025-01-02,Deposit,receivable,6"
        result = support.run(CHECK, {"csv": csv, "currency": "EUR", "accounts": [{"name": "Deposit", "class": "payable"}]}).json()
        self.assertEqual({(row["name"], row["class"], row["source"]) for row in result["accounts"]}, {("Cash", "cash", "given"), ("Sales", "current_liability", "column"), ("Deposit", "payable", "given")})

    def test_numbered_entries_may_lie_apart(self):
        answer = report("date,entry,account,debit,credit\n2025-01-02,1,Bank,5,\n2025-01-02,2,Bank,7,\n2025-01-02,1,Sales,,5\n2025-01-02,2,Sales,,7")
        self.assertEqual(answer["entries"], 2)


class Statements(unittest.TestCase):
    def test_profit_from_top_to_bottom(self):
        answer = report(journal(
            ("2025-01-05", [("Bank", 100), ("Sales", -100)]), ("2025-01-06", [("Used goods", 30), ("Goods", -30)]), ("2025-01-07", [("Rent", 20), ("Bank", -20)]),
            ("2025-01-08", [("Fees", 5), ("Bank", -5)]), ("2025-01-09", [("Interest", 4), ("Bank", -4)]), ("2025-01-10", [("Tax", 10), ("Bank", -10)]),
        ))
        expected = {"revenue_total": 10000, "gross_profit": 7000, "operating_profit": 5000, "profit_before_tax": 4100, "net_profit": 3100}
        self.assertEqual({key: line(answer, "income_statement", key)[0] for key in expected}, expected)

    def test_cash_is_divided_among_what_it_was_for(self):
        cases = [
            ([("Bank", 97), ("Fees", 3), ("Sales", -100)], {"customers": 9700}), ([("Machine", 10), ("Bank", -4), ("Loan", -6)], {"investments": -400}),
            ([("Loan", 900), ("Interest", 100), ("Bank", -1000)], {"loans": -90000, "interest_paid": -10000}), ([("Bank", 970), ("Fees", 30), ("Loan", -1000)], {"loans": 97000}),
            ([("Rent", 1), ("Used goods", 1), ("Tax", 1), ("Bank", -3)], {"expenses": -100, "suppliers": -100, "tax_paid": -100}), ([("Rent", 5), ("Suppliers", -5)], {}),
        ]
        for lines, expected in cases:
            with self.subTest(lines):
                answer = report(journal(("2025-01-05", lines)))
                found = {row["key"]: row["total"] for row in answer["cash_flow"] if not row["key"].endswith("_cash") and not row["key"].startswith("cash_")}
                self.assertEqual(found, expected)

    def test_before_the_period_is_opening(self):
        answer = report(journal(("2024-12-05", [("Bank", 100), ("Capital", -100)]), ("2024-12-06", [("Bank", 50), ("Sales", -50)]), ("2025-01-07", [("Rent", 20), ("Bank", -20)]),
                                ("2025-02-07", [("Rent", 20), ("Bank", -20)])), period={"from": "2025-01", "to": "2025-01"})
        self.assertEqual(line(answer, "cash_flow", "cash_opening"), [15000])
        self.assertEqual(line(answer, "cash_flow", "cash_closing"), [13000])
        self.assertEqual(line(answer, "income_statement", "net_profit"), [-2000])
        self.assertEqual(line(answer, "balance_sheet", "accumulated_result"), [3000])

    def test_closing_entries_do_not_empty_the_income_statement(self):
        for memo in ["Closing 2025", "结转损益"]:
            answer = report(journal(("2025-12-05", [("Bank", 100), ("Sales", -100)], "Till"), ("2025-12-31", [("Sales", 100), ("Capital", -100)], memo)))
            self.assertEqual(line(answer, "income_statement", "net_profit"), [10000])
            self.assertEqual((line(answer, "balance_sheet", "accumulated_result"), line(answer, "balance_sheet", "total_equity")), ([0], [10000]))

    def test_random_books_always_balance_and_reconcile(self):
        chance = random.Random(11)
        for _ in range(12):
            entries = []
            for _ in range(60):
                names = chance.sample(list(CLASSES), chance.randrange(2, 5))
                sums = [chance.randrange(-5000, 5000) or 1 for _ in names[1:]]
                if sum(sums) == 0:
                    continue
                lines = list(zip(names, [*sums, -sum(sums)]))
                entries.append((f"2025-{chance.randrange(1, 7):02d}-15", lines, "x"))
            report(journal(*entries))


class Ratios(unittest.TestCase):
    def values(self, answer):
        return {row["key"]: row["value"] for row in answer["ratios"]}

    def test_values(self):
        answer = report(journal(("2025-01-01", [("Bank", 1000), ("Capital", -1000)]), ("2025-01-05", [("Customers", 310), ("Sales", -310)]), ("2025-01-06", [("Goods", 100), ("Suppliers", -100)]),
                                ("2025-01-07", [("Used goods", 31), ("Goods", -31)]), ("2025-01-09", [("Rent", 500), ("Bank", -500)])))
        values = self.values(answer)
        expected = {"gross_margin": "90.0", "net_margin": "-71.3", "current_ratio": "8.79", "quick_ratio": "8.10", "receivable_days": "31", "inventory_days": "69", "payable_days": "100", "runway": "1.0", "interest_cover": None}
        self.assertEqual({key: values[key] for key in expected}, expected)
        self.assertTrue(all((row["value"] is None) == (row["reason"] is not None) for row in answer["ratios"]))

    def test_negative_equity_gives_no_ratio_but_a_remark(self):
        answer = report(journal(("2025-01-01", [("Bank", 100), ("Loan", -100)]), ("2025-01-05", [("Rent", 150), ("Bank", -150)])))
        self.assertIsNone(self.values(answer)["debt_to_equity"])
        codes = [row["code"] for row in answer["remarks"]]
        self.assertIn("equity_negative", codes)
        self.assertIn("cash_negative", codes)


class Variances(unittest.TestCase):
    def rows(self, *entries, **more):
        return {(row["label"], row["to"]): row for row in report(journal(*entries), **more)["variances"] if row["kind"] == "account"}

    def test_thresholds_and_direction(self):
        entries = [("2025-01-05", [("Rent", 100), ("Bank", -100)], "Rent Jan"), ("2025-02-05", [("Rent", 110), ("Bank", -110)], "Rent Feb"),
                   ("2025-01-06", [("Bank", 200), ("Sales", -200)], "Till"), ("2025-02-06", [("Bank", 150), ("Sales", -150)], "Till")]
        rows = self.rows(*entries)
        rent, sales = rows[("Rent", "2025-02")], rows[("Sales", "2025-02")]
        self.assertEqual((rent["change"], rent["percent"], rent["flagged"], rent["favourable"], rent["drivers"][0]["amount"]), (1000, "10.0", True, False, 1000))
        self.assertEqual((sales["change"], sales["percent"], sales["favourable"]), (-5000, "-25.0", False))
        self.assertFalse(self.rows(*entries, variance={"percent": 10.1})[("Rent", "2025-02")]["flagged"])
        self.assertFalse(self.rows(*entries, variance={"amount": "10.01"})[("Rent", "2025-02")]["flagged"])

    def test_from_zero_there_is_no_percentage(self):
        row = self.rows(("2025-01-05", [("Bank", 1), ("Sales", -1)]), ("2025-02-05", [("Rent", 5), ("Bank", -5)], "New"))[("Rent", "2025-02")]
        self.assertEqual((row["percent"], row["flagged"], row["drivers"][0]["memo"]), (None, True, "New"))

    def test_an_empty_month_between_is_shown_and_remarked(self):
        answer = report(journal(("2025-01-05", [("Rent", 5), ("Bank", -5)]), ("2025-03-05", [("Rent", 5), ("Bank", -5)])))
        self.assertEqual((answer["months"], [row["text"] for row in answer["remarks"]][-1]), (["2025-01", "2025-02", "2025-03"], "2025-02 has no entries."))

    def test_twins_are_remarked(self):
        answer = report(journal(*[("2025-01-05", [("Rent", 5), ("Bank", -5)], "Hall")] * 2))
        self.assertIn("twins", [row["code"] for row in answer["remarks"]])

    def test_budget(self):
        rows = report(journal(("2025-01-05", [("Rent", 5), ("Bank", -5)]), ("2025-02-05", [("Bank", 9), ("Sales", -9)])), budget={"Rent": "2.00", "Sales": 5})["budget"]
        self.assertEqual({row["label"]: (row["planned"], row["actual"], row["percent"], row["favourable"]) for row in rows}, {"Rent": (400, 500, "25.0", False), "Sales": (1000, 900, "-10.0", False)})


class Charts(unittest.TestCase):
    def test_they_are_well_formed_and_described(self):
        entries = [(f"2025-{month:02d}-05", [("Rent <&>\"", 5 * month), ("Bank", -5 * month)], "<script>") for month in range(1, 13)]
        known = [{"name": 'Rent <&>"', "class": "operating_expense"}, {"name": "Bank", "class": "cash"}]
        for lang in ("en", "zh"):
            csv = journal(*entries).replace('Rent <&>"', '"Rent <&>"""')
            for chart in report(csv, lang=lang, accounts=known)["charts"]:
                root = xml.fromstring(chart["svg"])
                space = "{http://www.w3.org/2000/svg}"
                self.assertEqual(root.get("role"), "img")
                ids = [root.find(f"{space}{tag}").get("id") for tag in ("title", "desc")]
                self.assertEqual(root.get("aria-labelledby").split(), ids)
                self.assertEqual(root.find(f"{space}desc").text, chart["description"])
                self.assertFalse([element for element in root.iter() if element.tag.endswith(("script", "image", "foreignObject"))])

    def test_negative_and_zero_figures_stay_inside(self):
        for sales, rent in [(0.01, 0.01), (0, 900), (999999999, 1)]:
            answer = report(journal(("2025-01-05", [("Bank", sales or 1), ("Sales", -(sales or 1))]), ("2025-01-06", [("Rent", rent), ("Bank", -rent)])))
            for chart in answer["charts"]:
                for element in xml.fromstring(chart["svg"]).iter():
                    for key in ("y", "y1", "y2", "cy"):
                        self.assertTrue(0 <= int(element.get(key, 0)) <= 360, (chart["id"], element.attrib))
                    self.assertGreaterEqual(int(element.get("height", 0)), 0)

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            csv = support.SKILLS / SKILL / "examples/cafe.csv"
            result = support.run(REPORT, None, "--csv", str(csv), "--currency", "EUR", "--charts", folder, "--output", str(Path(folder) / "report.json"))
            self.assertEqual(result.code, 0, result.err)
            self.assertEqual(sorted(path.name for path in Path(folder).iterdir()), ["cash.svg", "costs.svg", "report.json", "report.md", "result.svg"])


class Size(unittest.TestCase):
    def test_fifty_thousand_rows(self):
        rows = ["date,account,amount,memo"] + [f"2025-{1 + index % 12:02d}-15,{'Sales' if index % 3 else 'Rent'},{index % 977 if index % 3 else -(index % 877)}.5,memo {index % 50}" for index in range(1, 50_000)]
        self.assertEqual(report("\n".join(rows))["entries"], 49_999)

    def test_markdown_in_texts_is_harmless(self):
        answer = report(journal(("2025-01-05", [("Rent", 5), ("Bank", -5)], "a"), ("2025-02-05", [("Rent", 50), ("Bank", -50)], "[x](http://e) | <b>")))
        self.assertIn(r"\[x\](http://e) \| \<b\>", answer["markdown"])


if __name__ == "__main__":
    unittest.main()
