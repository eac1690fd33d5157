"""Finds offers for a wish in merchants' catalogues and writes them as the input of a comparison."""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, List, NamedTuple

import catalogue
import wire
from matching import Wish, matches

MOST_COUPONS = 100
LONGEST_TITLE = 120
SILENT = {"en": "did not answer: {why}", "zh": "没有答复：{why}"}


class Told(NamedTuple):
    """What one merchant said: its offers, or why there are none."""

    merchant: Dict[str, Any]
    name: str
    offers: List[Dict[str, Any]]
    silent: str = ""


def find(given: Dict[str, Any], _: argparse.Namespace) -> Dict[str, Any]:
    """The offers that match, as a comparison takes them."""
    merchants = given["merchants"]
    _no_twins(merchants)
    wish = Wish.of(given["words"], given.get("category"))
    with ThreadPoolExecutor(max_workers=8) as pool:
        told = list(pool.map(lambda merchant: _ask(merchant, given["words"]), merchants))
    kept = [(one, offer) for one in told for offer in _of_each_once(one.offers) if matches(wish, offer)]
    kept.sort(key=lambda pair: (pair[1]["price"]["minor"], pair[0].merchant["id"], pair[1]["item"]))
    kept = kept[: given.get("most", 50)]
    currency = given["currency"]
    ours_last = sorted(reversed(kept), key=lambda pair: pair[1]["price"]["currency"] == currency)
    shops = {one.merchant["id"]: _shop(one, offer, currency) for one, offer in ours_last}
    answer = {
        "currency": currency, "lang": given.get("lang", "en"), "need": {"amount": given.get("quantity", 1), "unit": "piece"},
        "extra_packs": 0, "rank_by": "total",
        "shops": [shops[key] for key in sorted(shops)], "coupons": _coupons(kept, currency),
        "offers": [_offer(one, offer) for one, offer in kept],
        "sources": [_source(one, kept, given.get("lang", "en")) for one in told],
    }
    for key in ("budget", "today", "deliver_by"):
        if key in given:
            answer[key] = given[key]
    return answer


def _no_twins(merchants: List[Dict[str, Any]]) -> None:
    for index, merchant in enumerate(merchants):
        where = f"input.merchants[{index}]"
        if merchant["id"] in [other["id"] for other in merchants[:index]]:
            raise wire.refuse(f"{where}.id", f"`{merchant['id']}` is used twice; ids must differ")
        if ("url" in merchant) == ("offers" in merchant):
            raise wire.refuse(where, "give either url or offers")


def _ask(merchant: Dict[str, Any], words: List[str]) -> Told:
    name = clean(merchant.get("name", merchant["id"]), 200)
    if "offers" in merchant:
        return Told(merchant, name, merchant["offers"])
    try:
        offers = catalogue.search(merchant["url"], words)
    except catalogue.Silent as reason:
        return Told(merchant, name, [], clean(str(reason), 300))
    problems = wire.check({"offers": offers}, _answer_schema())
    if problems:
        return Told(merchant, name, [], clean(f"its catalogue is not readable: {problems[0]}", 300))
    return Told(merchant, name, offers)


def _answer_schema() -> Dict[str, Any]:
    whole = wire.load_schema("find.in.json")
    return {"type": "object", "properties": {"offers": whole["$defs"]["merchant"]["properties"]["offers"]}, "$defs": whole["$defs"]}


def _of_each_once(offers: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """The first offer of each item; a catalogue that names an item twice says nothing new."""
    return list({offer["item"]: offer for offer in reversed(offers)}.values())[::-1]


def _shop(one: Told, offer: Dict[str, Any], currency: str) -> Dict[str, Any]:
    shop: Dict[str, Any] = {"id": one.merchant["id"], "name": one.name}
    terms = {"fee": offer.get("delivery"), "free_from": offer.get("free_delivery_from")}
    shipping = {key: amount for key, amount in terms.items() if amount and amount["currency"] == currency}
    return {**shop, "shipping": shipping} if shipping else shop


def _coupons(kept: List[Any], currency: str) -> List[Dict[str, Any]]:
    """The coupons of the shops that have an offer; one that the comparison cannot count is left out."""
    found: Dict[str, Dict[str, Any]] = {}
    for one, offer in kept:
        for raw in offer.get("coupons", []):
            amounts = [raw.get("minus"), raw.get("from")]
            foreign = any(amount and amount["currency"] != currency for amount in amounts)
            if foreign or (raw.get("minus") is None) == (raw.get("percent") is None):
                continue
            name = f"{one.merchant['id']}:{raw['code']}"[:100]
            coupon = {"id": name, "shop": one.merchant["id"], "kind": "amount_off" if raw.get("minus") else "percent_off"}
            for key, value in (("off", raw.get("minus")), ("percent", raw.get("percent")), ("min_spend", raw.get("from"))):
                if value is not None:
                    coupon[key] = value
            found.setdefault(name, coupon)
    return [found[name] for name in sorted(found)][:MOST_COUPONS]


def _offer(one: Told, offer: Dict[str, Any]) -> Dict[str, Any]:
    item = offer["item"]
    written = {
        "id": f"{one.merchant['id']}:{item}"[:100], "shop": one.merchant["id"], "title": clean(offer["title"], LONGEST_TITLE) or item,
        "price": offer["price"], "currency": offer["price"]["currency"],
    }
    unit = offer.get("unit")
    if unit:
        written["pack"] = f"{unit['quantity']}{clean(unit['unit'], 20)}*1"
    if "stock" in offer:
        written["stock"] = offer["stock"]
    if offer.get("delivery_days") is not None:
        written["delivery_days"] = offer["delivery_days"]
    return written


def _source(one: Told, kept: List[Any], lang: str) -> Dict[str, Any]:
    source = {"shop": one.merchant["id"], "name": one.name, "state": "silent" if one.silent else "answered"}
    source["found"] = sum(other is one for other, _ in kept)
    return {**source, "text": SILENT[lang].format(why=one.silent)} if one.silent else source


def clean(text: str, most: int) -> str:
    """A foreign text on one line, without control characters, cut to a length."""
    plain = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return plain if len(plain) <= most else plain[: most - 1] + "…"


VERBS = {"find": wire.Verb(find, "find offers in catalogues", "find.in.json", failed=lambda answer: not answer["offers"])}

if __name__ == "__main__":
    raise SystemExit(wire.main(__doc__ or "", VERBS))
