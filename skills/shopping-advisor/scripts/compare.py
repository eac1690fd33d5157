#!/usr/bin/env python3
"""Compares offers: unit prices, what each really costs with shipping and coupons, and which one to buy."""

from __future__ import annotations

import argparse
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import money
import units
import wire
from advice import advise, clean, say
from checkout import Bill, Coupon, Shop, best_bill, concerns, out_of_date, read_coupon, read_day, read_shop, threshold

PACKS_LIMIT = 10_000


class Wish(NamedTuple):
    """What the buyer asked for."""

    currency: str
    need: Optional[units.Quantity]
    need_unit: Optional[str]
    dimension: str
    per: str
    budget: Optional[int]
    today: Optional[date]
    deliver_by: Optional[date]
    rank_by: str
    extra_packs: int
    lang: str


class Left(Exception):
    """An offer that cannot be compared, with the remark that says why."""

    def __init__(self, remark: Dict[str, str]):
        super().__init__(remark["text"])
        self.remark = remark


def compare(given: Dict[str, Any], _: argparse.Namespace) -> Dict[str, Any]:
    """The whole comparison for one input."""
    currency, lang = given["currency"], given.get("lang", "en")
    shops = {raw["id"]: read_shop(raw, currency, f"input.shops[{index}]") for index, raw in enumerate(given.get("shops", []))}
    coupons = [read_coupon(raw, currency, f"input.coupons[{index}]") for index, raw in enumerate(given.get("coupons", []))]
    _no_twins(given)
    packs = {raw["id"]: _held(raw, index) for index, raw in enumerate(given["offers"])}
    wish = _wish(given, packs)
    ranked: List[Dict[str, Any]] = []
    left: List[Dict[str, str]] = []
    for index, raw in enumerate(given["offers"]):
        try:
            ranked.append(_row(raw, packs[raw["id"]], shops, coupons, wish, f"input.offers[{index}]"))
        except Left as reason:
            left.append({"offer_id": raw["id"], **reason.remark})
    ranked.sort(key=lambda row: row["order"])
    advice = advise(ranked, currency, lang)
    silent = [source for source in given.get("sources", []) if source["state"] == "silent"]
    advice["lines"] += [say("shop_silent", lang, shop=clean(source.get("name", source["shop"]))) for source in silent]
    for rank, row in enumerate(ranked, start=1):
        row["rank"] = rank
        del row["order"], row["exact_rate"]
    return {
        "currency": currency, "rank_by": wish.rank_by,
        "need": None if wish.need is None else units.shown(wish.need.amount, wish.need.dimension, wish.need_unit),
        "advice": advice, "ranked": ranked, "not_compared": left,
    }


def _no_twins(given: Dict[str, Any]) -> None:
    for key in ("offers", "shops", "coupons"):
        ids = [item["id"] for item in given.get(key, [])]
        for index, name in enumerate(ids):
            if name in ids[:index]:
                raise wire.refuse(f"input.{key}[{index}].id", f"`{name}` is used twice; ids must differ")


def _held(raw: Dict[str, Any], index: int) -> Any:
    """What one pack holds, or the refusal that its size deserves."""
    try:
        return units.parse_pack(raw.get("pack"), f"input.offers[{index}].pack")
    except wire.Refused as refusal:
        return refusal


def _wish(given: Dict[str, Any], packs: Dict[str, Any]) -> Wish:
    currency, need = given["currency"], None
    if "need" in given:
        need = units.parse_quantity(given["need"]["amount"], given["need"]["unit"], "input.need")
    dimension = need.dimension if need else _common_dimension(packs)
    per = given.get("unit_price_per", units.SHOWN_PER[dimension])
    if units.parse_quantity(1, per, "input.unit_price_per").dimension != dimension:
        raise wire.refuse("input.unit_price_per", f"`{per}` does not measure what is compared ({dimension})")
    budget = given.get("budget")
    today, deliver_by = read_day(given.get("today"), "input.today"), read_day(given.get("deliver_by"), "input.deliver_by")
    if deliver_by and not today:
        raise wire.refuse("input.today", "missing; deliver_by needs to know today's date")
    return Wish(
        currency=currency, need=need,
        need_unit=units.plain_unit(given["need"]["unit"]) if need else None,
        dimension=dimension, per=per,
        budget=None if budget is None else money.to_minor(budget, currency, "input.budget"),
        today=today, deliver_by=deliver_by, rank_by=given.get("rank_by", "total" if need else "unit_price"),
        extra_packs=given.get("extra_packs", 3), lang=given.get("lang", "en"),
    )


def _common_dimension(packs: Dict[str, Any]) -> str:
    """The measure that most offers are given in; the more telling one when several are equally common."""
    held = [pack for pack in packs.values() if isinstance(pack, dict)]
    return max(units.DIMENSIONS, key=lambda name: (sum(name in pack for pack in held), -units.DIMENSIONS.index(name)))


def _row(raw: Dict[str, Any], held: Any, shops: Dict[str, Shop], coupons: List[Coupon], wish: Wish, where: str) -> Dict[str, Any]:
    content = _content(raw, held, wish)
    price = money.to_minor(raw["price"], wish.currency, f"{where}.price")
    notes: List[Dict[str, str]] = []
    shop = shops.get(raw["shop"])
    if shop is None:
        shop = read_shop({"id": raw["shop"]}, wish.currency, where)
        notes.append(say("terms_unknown", wish.lang, shop=raw["shop"]))
    mine = [coupon for coupon in coupons if concerns(coupon, raw["id"], raw["shop"])]
    current = [coupon for coupon in mine if not out_of_date(coupon, wish.today)]
    bill, wanted, plain = _cheapest(raw, content, price, shop, current, wish, where)
    notes += _packs_notes(bill, wanted, plain, shop, wish) + _coupon_notes(bill, mine, shop, wish) + _rating_notes(raw, wish)
    amount = content * bill.packs
    surplus = amount - wish.need.amount if wish.need else Fraction(0)
    if wish.need and surplus > 0:
        notes.append(say("surplus", wish.lang, **units.shown(surplus, wish.dimension, wish.need_unit), percent=int(surplus * 100 / wish.need.amount)))
    misses = _misses(raw, bill, wish)
    return _written(raw, shop, bill, content, amount, price, notes, misses, wish)


def _content(raw: Dict[str, Any], held: Any, wish: Wish) -> Fraction:
    if raw.get("currency", wish.currency) != wish.currency:
        raise Left(say("other_currency", wish.lang, currency=raw["currency"], wanted=wish.currency))
    if isinstance(held, wire.Refused):
        raise Left(say("unreadable_pack", wish.lang, pack=clean(_as_text(raw["pack"]))))
    if wish.dimension not in held:
        raise Left(say("other_measure", wish.lang, per=wish.per))
    return held[wish.dimension]


def _as_text(pack: Any) -> str:
    return pack if isinstance(pack, str) else f"{pack['amount']} {pack['unit']}"


def _cheapest(
    raw: Dict[str, Any], content: Fraction, price: int, shop: Shop, coupons: List[Coupon], wish: Wish, where: str
) -> Tuple[Bill, int, Optional[Bill]]:
    """The cheapest bill that covers the need, how many packs the need alone would take, and the bill for just those."""
    wanted = -(-wish.need.amount // content) if wish.need else 1
    wanted = max(int(wanted), raw.get("min_packs", 1))
    most = raw.get("stock")
    if wanted > PACKS_LIMIT:
        raise Left(say("too_many_packs", wish.lang, packs=wanted))
    if most is not None and most < wanted:
        raise Left(say("out_of_stock", wish.lang, stock=most, packs=wanted))
    tried = [packs for packs in range(wanted, wanted + wish.extra_packs + 1) if most is None or packs <= most]
    fee = money.to_minor(raw.get("fee_per_pack", 0), wish.currency, f"{where}.fee_per_pack")
    bills = [bill for bill in (best_bill(price, packs, fee, shop, coupons, where) for packs in tried) if bill]
    if not bills:
        goods, least = money.written(price * tried[-1], wish.currency), money.written(shop.min_spend, wish.currency)
        raise Left(say("below_smallest_order", wish.lang, goods=goods, amount=least, packs=tried[-1]))
    plain = bills[0] if bills[0].packs == wanted else None
    return min(bills, key=lambda bill: (bill.total, bill.packs)), wanted, plain


def _packs_notes(bill: Bill, wanted: int, plain: Optional[Bill], shop: Shop, wish: Wish) -> List[Dict[str, str]]:
    if bill.packs == wanted:
        return []
    if plain is None:
        least = money.written(shop.min_spend, wish.currency)
        return [say("raised_to_order", wish.lang, packs=bill.packs, wanted=wanted, amount=least)]
    saved = money.written(plain.total - bill.total, wish.currency)
    return [say("raised_packs", wish.lang, packs=bill.packs, wanted=wanted, amount=saved)]


def _coupon_notes(bill: Bill, mine: List[Coupon], shop: Shop, wish: Wish) -> List[Dict[str, str]]:
    used = {coupon.id for coupon, _ in bill.discounts}
    notes = []
    for coupon in mine:
        late = out_of_date(coupon, wish.today)
        spent = bill.goods if coupon.threshold_on_list else bill.goods - sum(off for other, off in bill.discounts if other.layer != "shipping")
        if late:
            notes.append(say(f"coupon_{late}", wish.lang, coupon=coupon.id, day=coupon.valid_to if late == "expired" else coupon.valid_from))
        elif coupon.id not in used and spent < threshold(coupon):
            missing = money.written(threshold(coupon) - spent, wish.currency)
            notes.append(say("coupon_near", wish.lang, coupon=coupon.id, shop=shop.name, amount=missing))
        elif coupon.id not in used and bill.packs < coupon.min_packs:
            notes.append(say("coupon_packs", wish.lang, coupon=coupon.id, packs=coupon.min_packs))
        elif coupon.id not in used:
            notes.append(say("coupon_unused", wish.lang, coupon=coupon.id))
    return notes


def _rating_notes(raw: Dict[str, Any], wish: Wish) -> List[Dict[str, str]]:
    rating = raw.get("rating")
    return [say("few_reviews", wish.lang, count=rating["count"])] if rating and rating["count"] < 10 else []


def _misses(raw: Dict[str, Any], bill: Bill, wish: Wish) -> List[Dict[str, str]]:
    misses = []
    if wish.budget is not None and bill.total > wish.budget:
        misses.append(say("over_budget", wish.lang, amount=money.written(bill.total - wish.budget, wish.currency)))
    if wish.deliver_by and wish.today:
        days = raw.get("delivery_days")
        if days is None:
            misses.append(say("delivery_unknown", wish.lang))
        elif wish.today + timedelta(days=days) > wish.deliver_by:
            misses.append(say("too_late", wish.lang, day=wish.today + timedelta(days=days), wanted=wish.deliver_by))
    return misses


def _written(
    raw: Dict[str, Any], shop: Shop, bill: Bill, content: Fraction, amount: Fraction, price: int,
    notes: List[Dict[str, str]], misses: List[Dict[str, str]], wish: Wish,
) -> Dict[str, Any]:
    per = units.parse_quantity(1, wish.per, "input.unit_price_per").amount
    rate = Fraction(bill.total) / amount
    days = raw.get("delivery_days")
    first = {"total": Fraction(bill.total), "unit_price": rate, "delivery": Fraction(10**9 if days is None else days)}[wish.rank_by]

    def as_money(minor: int) -> Dict[str, Any]:
        return money.as_money(minor, wish.currency)

    return {
        "rank": 0, "offer_id": raw["id"], "title": clean(raw.get("title", raw["id"])), "shop": shop.id, "shop_name": clean(shop.name),
        "fits": not misses, "misses": misses, "packs": bill.packs, "amount": units.shown(amount, wish.dimension, wish.need_unit),
        "unit_price": {"value": money.rate(price, content / per, wish.currency), "per": wish.per},
        "effective_unit_price": {"value": money.rate(bill.total, amount / per, wish.currency), "per": wish.per},
        "goods": as_money(bill.goods),
        "discounts": [{"coupon_id": coupon.id, "layer": coupon.layer, "off": as_money(off)} for coupon, off in bill.discounts],
        "fees": as_money(bill.fees), "shipping": as_money(bill.shipping), "tax": as_money(bill.tax),
        "total": as_money(bill.total), "delivery_days": days, "notes": notes,
        "order": (bool(misses), first, bill.total, rate, 10**9 if days is None else days, raw["id"]), "exact_rate": rate,
    }


VERBS = {"compare": wire.Verb(compare, "compare offers and rank them", "compare.in.json")}

if __name__ == "__main__":
    raise SystemExit(wire.main(__doc__ or "", VERBS))
