"""What a purchase costs at the till: goods, coupons with thresholds and stacking, fees, shipping, tax."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from itertools import product
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

import money
from units import exact
from wire import refuse

LAYERS = ["shop", "platform", "payment", "shipping"]
COUPONS_AT_ONCE = 10


class Coupon(NamedTuple):
    """A coupon with its amounts in minor units of the comparison's currency."""

    id: str
    kind: str
    layer: str
    shop: Optional[str]
    offers: Optional[List[str]]
    off: Optional[int]
    percent: Optional[Fraction]
    each: Optional[int]
    cap: Optional[int]
    min_spend: int
    min_packs: int
    threshold_on_list: bool
    stackable: bool
    exclusive: bool
    valid_from: Optional[date]
    valid_to: Optional[date]


class Shop(NamedTuple):
    """A shop's terms in minor units."""

    id: str
    name: str
    shipping: int
    shipping_per_pack: int
    free_from: Optional[int]
    free_from_on_list: bool
    min_spend: int
    tax_percent: Fraction
    tax_on_shipping: bool


class Bill(NamedTuple):
    """One purchase, added up."""

    packs: int
    goods: int
    discounts: List[Tuple[Coupon, int]]
    fees: int
    shipping: int
    shipping_free: bool
    shipping_discount: int
    tax: int
    total: int


def read_day(text: Optional[str], where: str) -> Optional[date]:
    """A calendar day from YYYY-MM-DD."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise refuse(where, f"`{text}` is no calendar day; write YYYY-MM-DD") from error


def read_shop(raw: Dict[str, Any], currency: str, where: str) -> Shop:
    """A shop's terms from the input."""
    shipping = raw.get("shipping", {})
    free_from = shipping.get("free_from")
    return Shop(
        id=raw["id"], name=raw.get("name", raw["id"]),
        shipping=money.to_minor(shipping.get("fee", 0), currency, f"{where}.shipping.fee"),
        shipping_per_pack=money.to_minor(shipping.get("per_pack", 0), currency, f"{where}.shipping.per_pack"),
        free_from=None if free_from is None else money.to_minor(free_from, currency, f"{where}.shipping.free_from"),
        free_from_on_list=shipping.get("free_from_on", "after") == "list",
        min_spend=money.to_minor(raw.get("min_spend", 0), currency, f"{where}.min_spend"),
        tax_percent=exact(raw.get("tax_percent", 0), f"{where}.tax_percent"),
        tax_on_shipping=raw.get("tax_on_shipping", False),
    )


def read_coupon(raw: Dict[str, Any], currency: str, where: str) -> Coupon:
    """A coupon from the input; says which amount its kind lacks."""
    kind = raw["kind"]
    needed = {"amount_off": ["off"], "percent_off": ["percent"], "off_per_amount": ["off", "each"], "shipping_off": []}[kind]
    for key in needed:
        if key not in raw:
            raise refuse(f"{where}.{key}", f"missing; a coupon of kind {kind} needs it")
    amount = {key: money.to_minor(raw[key], currency, f"{where}.{key}") for key in ("off", "each", "cap", "min_spend") if key in raw}
    if amount.get("each") == 0:
        raise refuse(f"{where}.each", "must be more than zero")
    layer = raw.get("layer") or ("shipping" if kind == "shipping_off" else "shop" if "shop" in raw else "platform")
    if (kind == "shipping_off") != (layer == "shipping"):
        raise refuse(f"{where}.layer", "only and all coupons of kind shipping_off are of layer shipping")
    return Coupon(
        id=raw["id"], kind=kind, layer=layer, shop=raw.get("shop"), offers=raw.get("offers"), off=amount.get("off"),
        percent=exact(raw["percent"], f"{where}.percent") if "percent" in raw else None, each=amount.get("each"), cap=amount.get("cap"),
        min_spend=amount.get("min_spend", 0), min_packs=raw.get("min_packs", 1), threshold_on_list=raw.get("threshold_on", "after") == "list",
        stackable=raw.get("stackable", False), exclusive=raw.get("exclusive", False),
        valid_from=read_day(raw.get("valid_from"), f"{where}.valid_from"), valid_to=read_day(raw.get("valid_to"), f"{where}.valid_to"),
    )


def out_of_date(coupon: Coupon, today: Optional[date]) -> Optional[str]:
    """Why the coupon cannot be used today, if so."""
    if today is None:
        return None
    if coupon.valid_to is not None and today > coupon.valid_to:
        return "expired"
    if coupon.valid_from is not None and today < coupon.valid_from:
        return "not_yet_valid"
    return None


def concerns(coupon: Coupon, offer_id: str, shop_id: str) -> bool:
    """Whether the coupon is meant for this offer at this shop at all."""
    return coupon.shop in (None, shop_id) and (coupon.offers is None or offer_id in coupon.offers)


def best_bill(price: int, packs: int, fee_per_pack: int, shop: Shop, coupons: List[Coupon], where: str) -> Optional[Bill]:
    """The cheapest allowed combination of coupons for so many packs; None below the shop's smallest order."""
    if price * packs < shop.min_spend:
        return None
    if len(coupons) > COUPONS_AT_ONCE:
        raise refuse(where, f"more than {COUPONS_AT_ONCE} coupons concern one offer; leave the weak ones out")
    bills = (add_up(price, packs, fee_per_pack, shop, chosen) for chosen in _combinations(coupons))
    usable = [bill for bill in bills if bill is not None]
    return min(usable, key=lambda bill: (bill.total, len(bill.discounts), [coupon.id for coupon, _ in bill.discounts]))


def _combinations(coupons: List[Coupon]) -> Iterator[List[Coupon]]:
    """Every set that the stacking rules allow: a layer takes one ordinary coupon and any stackable ones; an exclusive one stands alone."""
    yield from ([coupon] for coupon in coupons if coupon.exclusive)
    layers = []
    for layer in LAYERS:
        mine = [coupon for coupon in coupons if coupon.layer == layer and not coupon.exclusive]
        stackable = [coupon for coupon in mine if coupon.stackable]
        ordinary: List[Optional[Coupon]] = [None, *(coupon for coupon in mine if not coupon.stackable)]
        layers.append([_in_order(mine, one, taken) for one in ordinary for taken in product([False, True], repeat=len(stackable))])
    for picks in product(*layers):
        yield [coupon for pick in picks for coupon in pick]


def _in_order(mine: List[Coupon], ordinary: Optional[Coupon], taken: Tuple[bool, ...]) -> List[Coupon]:
    flags = iter(taken)
    return [coupon for coupon in mine if (next(flags) if coupon.stackable else coupon is ordinary)]


def add_up(price: int, packs: int, fee_per_pack: int, shop: Shop, chosen: List[Coupon]) -> Optional[Bill]:
    """The bill with exactly these coupons in this order; None when one of them does not apply."""
    goods = running = price * packs
    discounts: List[Tuple[Coupon, int]] = []
    for coupon in chosen:
        if coupon.layer == "shipping":
            continue
        off = min(discount(coupon, goods, running, packs), running)
        if off <= 0:
            return None
        running -= off
        discounts.append((coupon, off))
    base = goods if shop.free_from_on_list else running
    shipping_free = shop.free_from is not None and base >= shop.free_from
    shipping = 0 if shipping_free else shop.shipping + shop.shipping_per_pack * packs
    shipping_discount = 0
    for coupon in chosen:
        if coupon.layer == "shipping":
            rest = shipping - shipping_discount
            off = rest if coupon.off is None else min(coupon.off, rest)
            if off <= 0 or not reached(coupon, goods, running, packs):
                return None
            shipping_discount += off
            discounts.append((coupon, off))
    fees = fee_per_pack * packs
    taxed = running + (shipping - shipping_discount if shop.tax_on_shipping else 0)
    tax = money.share(taxed, shop.tax_percent, round_up=True)
    total = running + fees + shipping - shipping_discount + tax
    return Bill(packs, goods, discounts, fees, shipping, shipping_free and shop.shipping + shop.shipping_per_pack > 0, shipping_discount, tax, total)


def threshold(coupon: Coupon) -> int:
    """From how much spent the coupon takes anything off."""
    return max(coupon.min_spend, coupon.each or 0)


def reached(coupon: Coupon, goods: int, running: int, packs: int) -> bool:
    """Whether the coupon's thresholds are met."""
    return packs >= coupon.min_packs and (goods if coupon.threshold_on_list else running) >= coupon.min_spend


def discount(coupon: Coupon, goods: int, running: int, packs: int) -> int:
    """What the coupon takes off the goods, before it is held to what is left."""
    if not reached(coupon, goods, running, packs):
        return 0
    if coupon.kind == "percent_off":
        off = money.share(running, coupon.percent or Fraction(0))
    elif coupon.kind == "off_per_amount":
        off = (goods if coupon.threshold_on_list else running) // (coupon.each or 1) * (coupon.off or 0)
    else:
        off = coupon.off or 0
    return off if coupon.cap is None else min(off, coupon.cap)
