"""Kinds of accounts: where each stands in the statements, and which kind a common name suggests."""

from __future__ import annotations

import re
from typing import Dict, List, Optional, Tuple

ASSETS = ["cash", "receivable", "inventory", "current_asset", "fixed_asset", "long_term_asset"]
LIABILITIES = ["payable", "current_liability", "short_term_debt", "long_term_debt"]
EQUITY = ["equity"]
INCOME = ["revenue", "other_income"]
EXPENSES = ["cost_of_sales", "operating_expense", "depreciation", "other_expense", "interest", "tax"]
RESULT = INCOME + EXPENSES
CLASSES = ASSETS + LIABILITIES + EQUITY + RESULT
CURRENT_ASSETS, CURRENT_LIABILITIES = ASSETS[:4], LIABILITIES[:3]
INVESTING, FINANCING = {"fixed_asset", "long_term_asset"}, {"short_term_debt", "long_term_debt", "equity"}

# words other programs use for the same kinds
SYNONYMS: Dict[str, str] = {
    "bank": "cash", "现金": "cash", "货币资金": "cash", "银行存款": "cash", "accounts receivable": "receivable", "应收账款": "receivable",
    "stock": "inventory", "存货": "inventory", "asset": "current_asset", "流动资产": "current_asset", "固定资产": "fixed_asset",
    "非流动资产": "long_term_asset", "intangible": "long_term_asset", "无形资产": "long_term_asset", "accounts payable": "payable",
    "应付账款": "payable", "liability": "current_liability", "流动负债": "current_liability", "短期借款": "short_term_debt", "长期借款": "long_term_debt",
    "debt": "long_term_debt", "loan": "long_term_debt", "capital": "equity", "所有者权益": "equity", "权益": "equity", "income": "revenue",
    "sales": "revenue", "收入": "revenue", "营业收入": "revenue", "cogs": "cost_of_sales", "营业成本": "cost_of_sales", "成本": "cost_of_sales",
    "expense": "operating_expense", "费用": "operating_expense", "期间费用": "operating_expense", "折旧": "depreciation",
    "amortisation": "depreciation", "amortization": "depreciation", "利息": "interest", "财务费用": "interest", "所得税": "tax", "税": "tax",
    "营业外收入": "other_income", "其他收入": "other_income", "营业外支出": "other_expense", "其他支出": "other_expense",
}

# first match wins, so narrower words stand first
_GUESSES: List[Tuple[str, str]] = [
    ("depreciation", r"depreciation (?:expense|charge)|^depreciation$|折旧费|摊销"),
    ("fixed_asset", r"accumulated depreciation|累计折旧|equipment|machinery|vehicle|furniture|computers|固定资产|设备|车辆"),
    ("tax", r"income tax(?! payable)|corporation tax|所得税费用"),
    (
        "current_liability",
        r"payable.*(?:tax|wage|salar)|(?:tax|vat|wages?|salar\w+) payable|accrued|deferred revenue|customer deposits|应交税"
        r"|应付职工薪酬|预收|其他应付",
    ),
    ("payable", r"payable|creditors|应付"),
    ("receivable", r"receivable|debtors|应收"),
    ("inventory", r"inventory|stock on hand|raw materials|存货|库存商品|原材料"),
    ("current_asset", r"prepaid|prepayment|deposit paid|预付|待摊"),
    ("interest", r"interest (?:expense|paid)|^interest$|利息(?:支出|费用)|财务费用"),
    ("other_income", r"interest (?:income|received)|利息收入|grant|subsid|补贴|其他收入"),
    ("short_term_debt", r"overdraft|credit line|short[- ]term loan|短期借款"),
    ("long_term_debt", r"loan|mortgage|借款|贷款"),
    ("equity", r"capital|equity|retained|drawings|dividend|实收资本|资本|未分配利润|股利|分红|留存"),
    ("cost_of_sales", r"cost of (?:sales|goods)|cogs|purchases|materials|freight in|主营业务成本|营业成本|进货|采购"),
    ("revenue", r"sales|revenue|turnover|fees earned|subscriptions|主营业务收入|营业收入|销售收入|服务收入|收入$"),
    (
        "operating_expense",
        r"rent|salar|wage|payroll|marketing|advert|office|travel|utilit|insurance|software|hosting|legal|account(?:ing|ancy)"
        r"|phone|repair|training|supplies|fuel|parking|cleaning|electric|internet|licen[cs]e|contractor|freelanc|commission|delivery|packaging|bank (?:fee|charge)|expense|postage|meals|租金|房租|工资|薪|社保|差旅|办公|广告|推广|水电|保险|软件|服务器|手续费|招待"
        r"|快递|物流|维修|培训|费$",
    ),
    ("cash", r"^cash\b|bank|petty cash|checking|savings|paypal|stripe|wise|现金|银行|支付宝|微信"),
]
_PATTERNS = [(name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _GUESSES]


def known(word: str) -> Optional[str]:
    """The kind that a word from a class column names."""
    plain = word.strip().lower().replace("_", " ")
    return plain.replace(" ", "_") if plain.replace(" ", "_") in CLASSES else SYNONYMS.get(plain)


def guess(name: str) -> Optional[str]:
    """The kind that an account's name suggests; always reported as a guess."""
    return next((kind for kind, pattern in _PATTERNS if pattern.search(name.strip())), None)


def section(kind: str) -> str:
    """The part of the cash-flow statement in which cash against such an account belongs."""
    return "investing" if kind in INVESTING else "financing" if kind in FINANCING else "operating"
