"""Every word of the report, in English and Chinese."""

from __future__ import annotations

from typing import Any, Dict

WORDS: Dict[str, Dict[str, str]] = {
    "en": {
        "revenue_total": "Revenue", "cost_of_sales_total": "Cost of sales", "gross_profit": "Gross profit", "operating_expense_total": "Operating expenses",
        "operating_profit": "Operating profit", "other_income_total": "Other income", "other_expense_total": "Other expenses", "interest_total": "Interest",
        "profit_before_tax": "Profit before tax", "tax_total": "Income tax", "net_profit": "Net profit",
        "current_assets": "Current assets", "long_term_assets": "Long-term assets", "total_assets": "Total assets", "current_liabilities": "Current liabilities",
        "long_term_liabilities": "Long-term liabilities", "total_liabilities": "Total liabilities", "accumulated_result": "Result not yet closed",
        "total_equity": "Total equity", "liabilities_and_equity": "Liabilities and equity",
        "customers": "From customers", "suppliers": "To suppliers", "expenses": "For operating expenses", "interest_paid": "Interest", "tax_paid": "Taxes",
        "operating_cash": "Cash from operations", "investments": "For long-term assets", "investing_cash": "Cash from investing", "loans": "Loans taken and repaid",
        "owners": "From and to owners", "financing_cash": "Cash from financing", "cash_change": "Change in cash", "cash_opening": "Cash at start", "cash_closing": "Cash at end",
        "gross_margin": "Gross margin", "how_gross_margin": "gross profit / revenue", "no_gross_margin": "no revenue",
        "operating_margin": "Operating margin", "how_operating_margin": "operating profit / revenue", "no_operating_margin": "no revenue",
        "net_margin": "Net margin", "how_net_margin": "net profit / revenue", "no_net_margin": "no revenue",
        "current_ratio": "Current ratio", "how_current_ratio": "current assets / current liabilities", "no_current_ratio": "no current liabilities",
        "quick_ratio": "Quick ratio", "how_quick_ratio": "(cash + receivables) / current liabilities", "no_quick_ratio": "no current liabilities",
        "debt_to_equity": "Debt to equity", "how_debt_to_equity": "total liabilities / equity", "no_debt_to_equity": "equity is zero or negative",
        "interest_cover": "Interest cover", "how_interest_cover": "operating profit / interest", "no_interest_cover": "no interest",
        "receivable_days": "Days sales outstanding", "how_receivable_days": "receivables / revenue × days", "no_receivable_days": "no receivables or no revenue",
        "inventory_days": "Inventory days", "how_inventory_days": "inventory / cost of sales × days", "no_inventory_days": "no inventory or no cost of sales",
        "payable_days": "Payable days", "how_payable_days": "payables / cost of sales × days", "no_payable_days": "no payables or no cost of sales",
        "cash_conversion": "Cash conversion", "how_cash_conversion": "cash from operations / net profit", "no_cash_conversion": "no net profit",
        "runway": "Cash runway", "how_runway": "cash / average monthly outflow", "no_runway": "no net outflow",
        "percent": "%", "times": "×", "days": "days", "months": "months",
        "rose": "{label} rose by {amount}{percent} from {before} to {after}", "fell": "{label} fell by {amount}{percent} from {before} to {after}",
        "mostly": ", mostly “{memo}” ({amount}, line {line})", "stop": ".",
        "guessed": "The kind of {count} accounts was guessed from their names; check: {accounts}.", "cash_negative": "{account} is below zero at the end of {month}.",
        "equity_negative": "Equity is negative: {amount}.", "month_empty": "{month} has no entries.",
        "twins": "Lines {first} and {second} have the same day, account, amount and text: booked twice?",
        "cashbook": "A cash book shows money in and out when it moved: receivables, payables, stock and depreciation are missing.",
        "income": "Income statement", "balance": "Balance sheet", "cash": "Cash flow", "ratios": "Ratios", "variances": "Notable changes", "budget": "Against budget",
        "remarks": "Remarks", "charts": "Charts", "total": "Total", "line": "Line", "ratio": "Ratio", "value": "Value", "formula": "How", "planned": "Planned", "actual": "Actual",
        "difference": "Difference", "none": "None.", "better": "better", "worse": "worse", "report": "Financial report", "amounts_in": "Amounts in {currency}",
        "chart_result": "Revenue, costs and net profit by month", "chart_cash": "Cash at month's end", "chart_expenses": "Largest costs in the period",
        "costs": "Costs", "colon": ": ", "comma": "; ",
    },
    "zh": {
        "revenue_total": "营业收入", "cost_of_sales_total": "营业成本", "gross_profit": "毛利", "operating_expense_total": "期间费用",
        "operating_profit": "营业利润", "other_income_total": "其他收入", "other_expense_total": "其他支出", "interest_total": "利息支出",
        "profit_before_tax": "利润总额", "tax_total": "所得税", "net_profit": "净利润",
        "current_assets": "流动资产合计", "long_term_assets": "非流动资产合计", "total_assets": "资产总计", "current_liabilities": "流动负债合计",
        "long_term_liabilities": "非流动负债合计", "total_liabilities": "负债合计", "accumulated_result": "未结转损益",
        "total_equity": "所有者权益合计", "liabilities_and_equity": "负债和所有者权益总计",
        "customers": "收到客户款项", "suppliers": "支付供应商款项", "expenses": "支付经营费用", "interest_paid": "支付利息", "tax_paid": "支付税费",
        "operating_cash": "经营活动现金净额", "investments": "购置长期资产", "investing_cash": "投资活动现金净额", "loans": "借款与还款",
        "owners": "股东投入与分配", "financing_cash": "筹资活动现金净额", "cash_change": "现金净增加", "cash_opening": "期初现金", "cash_closing": "期末现金",
        "gross_margin": "毛利率", "how_gross_margin": "毛利 / 营业收入", "no_gross_margin": "无收入",
        "operating_margin": "营业利润率", "how_operating_margin": "营业利润 / 营业收入", "no_operating_margin": "无收入",
        "net_margin": "净利率", "how_net_margin": "净利润 / 营业收入", "no_net_margin": "无收入",
        "current_ratio": "流动比率", "how_current_ratio": "流动资产 / 流动负债", "no_current_ratio": "无流动负债",
        "quick_ratio": "速动比率", "how_quick_ratio": "（现金＋应收）/ 流动负债", "no_quick_ratio": "无流动负债",
        "debt_to_equity": "产权比率", "how_debt_to_equity": "负债合计 / 所有者权益", "no_debt_to_equity": "权益为零或负数",
        "interest_cover": "利息保障倍数", "how_interest_cover": "营业利润 / 利息支出", "no_interest_cover": "无利息",
        "receivable_days": "应收账款周转天数", "how_receivable_days": "应收账款 / 营业收入 × 天数", "no_receivable_days": "无应收账款或无收入",
        "inventory_days": "存货周转天数", "how_inventory_days": "存货 / 营业成本 × 天数", "no_inventory_days": "无存货或无营业成本",
        "payable_days": "应付账款周转天数", "how_payable_days": "应付账款 / 营业成本 × 天数", "no_payable_days": "无应付账款或无营业成本",
        "cash_conversion": "净利润现金含量", "how_cash_conversion": "经营活动现金净额 / 净利润", "no_cash_conversion": "无净利润",
        "runway": "现金可支撑月数", "how_runway": "现金 / 月均净流出", "no_runway": "无净流出",
        "percent": "%", "times": "倍", "days": "天", "months": "个月",
        "rose": "{after} 较 {before}，{label}增加 {amount}{percent}", "fell": "{after} 较 {before}，{label}减少 {amount}{percent}",
        "mostly": "，主要是“{memo}”（{amount}，第 {line} 行）", "stop": "。",
        "guessed": "有 {count} 个科目的类别由名称推断，请核对：{accounts}。", "cash_negative": "{account} 在 {month} 末为负数。",
        "equity_negative": "所有者权益为负：{amount}。", "month_empty": "{month} 没有分录。",
        "twins": "第 {first} 行与第 {second} 行的日期、科目、金额、摘要相同，是否重复入账？",
        "cashbook": "流水账只反映收付当时的现金：不含应收、应付、存货和折旧。",
        "income": "利润表", "balance": "资产负债表", "cash": "现金流量表", "ratios": "财务比率", "variances": "重要变动", "budget": "与预算对比",
        "remarks": "提示", "charts": "图表", "total": "合计", "line": "项目", "ratio": "比率", "value": "数值", "formula": "算法", "planned": "预算", "actual": "实际",
        "difference": "差异", "none": "无。", "better": "有利", "worse": "不利", "report": "财务报告", "amounts_in": "金额单位：{currency}",
        "chart_result": "各月收入、成本费用与净利润", "chart_cash": "各月末现金", "chart_expenses": "本期主要成本费用",
        "costs": "成本费用", "colon": "：", "comma": "；",
    },
}


def say(key: str, lang: str, **values: Any) -> str:
    """A word or sentence; keys that only name a kind of account stand for themselves."""
    text = WORDS[lang].get(key, key)
    return text.format(**values) if values else text
