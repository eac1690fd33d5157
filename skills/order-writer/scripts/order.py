"""Writes an order draft from a comparison of offers: one shop, its lines, and the total that is expected."""

from __future__ import annotations

import argparse
from typing import Any, Dict, List, Optional

import wire

TEXTS = {
    "en": {
        "unknown_offer": "The comparison has no offer `{offer}`.",
        "none_recommended": "The comparison recommends no offer; name one in `offer` if the person wants it all the same.",
        "twice": "The comparison has the offer `{offer}` twice.",
        "does_not_add_up": "The parts of `{offer}` give {parts} and not the stated total of {total}.",
        "other_currency": "A part of `{offer}` is in {other}, the comparison is in {currency}.",
        "other_limit": "The limit is in {other}, the comparison is in {currency}; amounts are never converted.",
        "above_limit": "`{offer}` costs {total}, which is {more} above the limit of {limit}.",
        "nothing_to_pay": "`{offer}` costs nothing; an order needs an amount.",
        "no_address": "The address has no letters or digits.",
        "line": "{packs} × {title} from {shop}",
        "total": "{total} in total, delivered to {address}",
        "coupon": "with coupons {coupons}",
        "note": "note to the shop: {note}",
    },
    "zh": {
        "unknown_offer": "比价结果中没有报价 `{offer}`。",
        "none_recommended": "比价没有推荐任何报价；用户仍想购买时请在 `offer` 中写明。",
        "twice": "比价结果中报价 `{offer}` 出现两次。",
        "does_not_add_up": "`{offer}` 各部分合计 {parts}，与所写总价 {total} 不符。",
        "other_currency": "`{offer}` 的一部分以 {other} 计，而比价以 {currency} 计。",
        "other_limit": "上限以 {other} 计，而比价以 {currency} 计；不做货币换算。",
        "above_limit": "`{offer}` 需付 {total}，比上限 {limit} 多 {more}。",
        "nothing_to_pay": "`{offer}` 金额为零，无法下单。",
        "no_address": "地址中没有任何文字或数字。",
        "line": "{shop}的“{title}” × {packs}",
        "total": "合计 {total}，送到{address}",
        "coupon": "使用优惠券 {coupons}",
        "note": "给店家的备注：{note}",
    },
}
NO_DECIMALS = set("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split())
THREE_DECIMALS = set("BHD IQD JOD KWD LYD OMR TND".split())
PARTS = ("goods", "fees", "shipping", "tax")


class NoOrder(Exception):
    """Why there is nothing to order."""

    def __init__(self, code: str, **values: Any):
        super().__init__(code)
        self.code, self.values = code, values


def order(given: Dict[str, Any], _: argparse.Namespace) -> Dict[str, Any]:
    """The order for the chosen or recommended offer, or the reason that there is none."""
    texts = TEXTS[given.get("lang", "en")]
    try:
        draft = _draft(given)
    except NoOrder as reason:
        problem = {"code": reason.code, "text": texts[reason.code].format(**reason.values)}
        return {"order": None, "summary": [], "problems": [problem]}
    return {"order": draft, "summary": _summary(draft, texts), "problems": []}


def _draft(given: Dict[str, Any]) -> Dict[str, Any]:
    comparison = given["comparison"]
    row = _chosen(comparison, given.get("offer"))
    _adds_up(row, comparison["currency"])
    _within(row, given.get("at_most"), comparison["currency"])
    place = {key: clean(text) for key, text in given["deliver_to"].items() if clean(text)}
    if not any(char.isalnum() for char in place.get("address", "")):
        raise NoOrder("no_address")
    coupons: List[str] = [_own(discount["coupon_id"], row["shop"]) for discount in row["discounts"]]
    return {
        "merchant": row["shop"], "merchant_name": clean(row["shop_name"]), "offer": row["offer_id"], "currency": comparison["currency"],
        "lines": [{"item": _own(row["offer_id"], row["shop"]), "title": clean(row["title"]), "quantity": row["packs"]}],
        "coupons": list(dict.fromkeys(coupons)), "deliver_to": place, "note": clean(given.get("note", "")),
        "expected_total": money(row["total"]["minor"], comparison["currency"]),
    }


def _chosen(comparison: Dict[str, Any], wanted: Optional[str]) -> Dict[str, Any]:
    """The row of the offer that was named, else of the recommended one."""
    name = wanted or comparison["advice"]["best"]
    if name is None:
        raise NoOrder("none_recommended")
    rows = [row for row in comparison["ranked"] if row["offer_id"] == name]
    if not rows:
        raise NoOrder("unknown_offer", offer=clean(name))
    if len(rows) > 1:
        raise NoOrder("twice", offer=clean(name))
    return rows[0]


def _adds_up(row: Dict[str, Any], currency: str) -> None:
    offer, off = clean(row["offer_id"]), [discount["off"] for discount in row["discounts"]]
    for part in [row[name] for name in PARTS] + off + [row["total"]]:
        if part["currency"] != currency:
            raise NoOrder("other_currency", offer=offer, other=clean(part["currency"]), currency=currency)
    parts = sum(row[name]["minor"] for name in PARTS) - sum(part["minor"] for part in off)
    if parts != row["total"]["minor"]:
        raise NoOrder("does_not_add_up", offer=offer, parts=written(parts, currency), total=written(row["total"]["minor"], currency))
    if parts == 0:
        raise NoOrder("nothing_to_pay", offer=offer)


def _within(row: Dict[str, Any], limit: Optional[Dict[str, Any]], currency: str) -> None:
    if limit is None:
        return
    if limit["currency"] != currency:
        raise NoOrder("other_limit", other=limit["currency"], currency=currency)
    more = row["total"]["minor"] - limit["minor"]
    if more > 0:
        total, most = written(row["total"]["minor"], currency), written(limit["minor"], currency)
        raise NoOrder("above_limit", offer=clean(row["offer_id"]), total=total, more=written(more, currency), limit=most)


def _own(name: str, shop: str) -> str:
    """The shop's own id of an offer or a coupon: among those of several shops it carries the shop's in front."""
    front = f"{shop}:"
    return name[len(front):] if name.startswith(front) and len(name) > len(front) else name


def _summary(draft: Dict[str, Any], texts: Dict[str, str]) -> List[str]:
    line = draft["lines"][0]
    told = [texts["line"].format(packs=line["quantity"], title=line["title"], shop=draft["merchant_name"])]
    told.append(texts["total"].format(total=draft["expected_total"]["text"], address=draft["deliver_to"]["address"]))
    if draft["coupons"]:
        told.append(texts["coupon"].format(coupons=", ".join(clean(name) for name in draft["coupons"])))
    if draft["note"]:
        told.append(texts["note"].format(note=draft["note"]))
    return told


def money(minor: int, currency: str) -> Dict[str, Any]:
    """The form that answers carry: whole minor units for programs, a text for people."""
    return {"minor": minor, "currency": currency, "text": written(minor, currency)}


def written(minor: int, currency: str) -> str:
    """`12.90 CNY`."""
    places = 0 if currency in NO_DECIMALS else 3 if currency in THREE_DECIMALS else 2
    whole, rest = divmod(abs(minor), 10**places)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole}.{rest:0{places}d} {currency}" if places else f"{sign}{whole} {currency}"


def clean(text: str) -> str:
    """A foreign text on one line, without control characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


VERBS = {"order": wire.Verb(order, "write an order draft", "order.in.json", failed=lambda answer: answer["order"] is None)}

if __name__ == "__main__":
    raise SystemExit(wire.main(__doc__ or "", VERBS))
