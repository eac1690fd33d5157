"""Plain sentences about a comparison, in English and Chinese."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

import money

TEXTS = {
    "en": {
        "best": "Buy {packs} × {title} at {shop}: {total} in total, {unit} per {per}.",
        "margin": "That is {amount} less than the next best, {title} at {shop}.",
        "tied": "{title} at {shop} costs exactly the same; choose by delivery or taste.",
        "nothing": "No offer can be compared; see not_compared for the reasons.",
        "none_fits": "No offer meets every wish; the nearest is {title} at {shop}: {why}.",
        "over_budget": "{amount} over the budget",
        "too_late": "arrives on {day}, wanted by {wanted}",
        "delivery_unknown": "no delivery time is known",
        "raised_packs": "{packs} packs instead of {wanted}: the total falls by {amount}.",
        "raised_to_order": "{packs} packs instead of {wanted}: the shop delivers only from {amount}.",
        "cheaper_per_unit": "{title} at {shop} is cheaper per {per} ({unit}) but costs {amount} more now.",
        "surplus": "{value} {unit} more than needed ({percent} %).",
        "coupon_near": "{amount} more at {shop} would make coupon {coupon} usable.",
        "coupon_packs": "Coupon {coupon} needs {packs} packs.",
        "coupon_expired": "Coupon {coupon} ended on {day}.",
        "coupon_not_yet_valid": "Coupon {coupon} starts on {day}.",
        "coupon_unused": "Coupon {coupon} is left out: another combination saves more or it cannot be stacked.",
        "shop_silent": "{shop} did not answer, so its offers are missing here.",
        "terms_unknown": "No terms are given for shop {shop}: shipping, coupons and smallest order are taken as none.",
        "few_reviews": "The rating rests on {count} reviews only.",
        "other_currency": "priced in {currency}, the comparison is in {wanted}; amounts are never converted",
        "other_measure": "its size is not given in a measure that compares with {per}",
        "unreadable_pack": "`{pack}` is not a pack size such as 550ml*24瓶, 6 x 500 g, 2斤 or 12 pcs",
        "out_of_stock": "{stock} packs in stock, {packs} needed",
        "below_smallest_order": "goods for {goods} are below the shop's smallest order of {amount}, even with {packs} packs",
        "too_many_packs": "needs {packs} packs, more than can be compared",
    },
    "zh": {
        "best": "建议在{shop}购买 {packs} 份“{title}”：合计 {total}，折合每 {per} {unit}。",
        "margin": "比次优的{shop}“{title}”便宜 {amount}。",
        "tied": "{shop}“{title}”总价完全相同，可按配送时间或喜好选择。",
        "nothing": "没有可以比较的报价，原因见 not_compared。",
        "none_fits": "没有报价满足全部要求；最接近的是{shop}“{title}”：{why}。",
        "over_budget": "超出预算 {amount}",
        "too_late": "预计 {day} 送达，晚于 {wanted}",
        "delivery_unknown": "配送时间未知",
        "raised_packs": "买 {packs} 份而不是 {wanted} 份，总价反而少 {amount}。",
        "raised_to_order": "买 {packs} 份而不是 {wanted} 份：该店满 {amount} 起送。",
        "cheaper_per_unit": "{shop}“{title}”每 {per} 更便宜（{unit}），但现在要多付 {amount}。",
        "surplus": "比需要的多 {value} {unit}（{percent} %）。",
        "coupon_near": "在{shop}再凑 {amount} 即可使用优惠券 {coupon}。",
        "coupon_packs": "优惠券 {coupon} 需满 {packs} 份。",
        "coupon_expired": "优惠券 {coupon} 已于 {day} 过期。",
        "coupon_not_yet_valid": "优惠券 {coupon} 自 {day} 起可用。",
        "coupon_unused": "未用优惠券 {coupon}：其他组合更省，或不可叠加。",
        "shop_silent": "{shop}没有答复，其报价未计入。",
        "terms_unknown": "未提供店铺 {shop} 的条款：按无运费、无优惠券、无起送价计算。",
        "few_reviews": "评分仅来自 {count} 条评价。",
        "other_currency": "标价为 {currency}，本次比较使用 {wanted}；不做货币换算",
        "other_measure": "规格无法按每 {per} 比较",
        "unreadable_pack": "无法识别规格“{pack}”，请写成 550ml*24瓶、500g×6、2斤 或 12枚 的形式",
        "out_of_stock": "库存 {stock} 份，需要 {packs} 份",
        "below_smallest_order": "货款 {goods} 低于起送价 {amount}（已试到 {packs} 份）",
        "too_many_packs": "需要 {packs} 份，超出可比较范围",
    },
}


def say(code: str, lang: str, **values: Any) -> Dict[str, str]:
    """One remark: a stable code for programs, a sentence for people."""
    return {"code": code, "text": TEXTS[lang][code].format(**values)}


def clean(text: str) -> str:
    """A foreign title on one line, without control characters, at most 60 characters."""
    plain = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return plain if len(plain) <= 60 else plain[:59] + "…"


def advise(ranked: List[Dict[str, Any]], currency: str, lang: str) -> Dict[str, Any]:
    """What to buy and why, from the ranked offers."""
    if not ranked:
        return {"best": None, "lines": [say("nothing", lang)]}
    best = ranked[0]
    if not best["fits"]:
        why = "; ".join(miss["text"] for miss in best["misses"])
        return {"best": None, "lines": [say("none_fits", lang, **_names(best), why=why)]}
    per = best["effective_unit_price"]["per"]
    lines = [say("best", lang, **_names(best), packs=best["packs"], total=best["total"]["text"], unit=_unit(best, currency), per=per)]
    lines += _margin(best, ranked, currency, lang)
    lines += _cheaper_per_unit(best, ranked, currency, lang)
    lines += [note for note in best["notes"] if note["code"] in ("raised_packs", "raised_to_order", "surplus", "coupon_near", "few_reviews")]
    return {"best": best["offer_id"], "lines": lines}


def _names(row: Dict[str, Any]) -> Dict[str, str]:
    return {"title": row["title"], "shop": row["shop_name"]}


def _unit(row: Dict[str, Any], currency: str) -> str:
    return f"{row['effective_unit_price']['value']} {currency}"


def _margin(best: Dict[str, Any], ranked: List[Dict[str, Any]], currency: str, lang: str) -> List[Dict[str, str]]:
    following: Optional[Dict[str, Any]] = next((row for row in ranked[1:] if row["fits"]), None)
    if following is None:
        return []
    gap = following["total"]["minor"] - best["total"]["minor"]
    if gap == 0:
        return [say("tied", lang, **_names(following))]
    return [say("margin", lang, **_names(following), amount=money.written(gap, currency))] if gap > 0 else []


def _cheaper_per_unit(best: Dict[str, Any], ranked: List[Dict[str, Any]], currency: str, lang: str) -> List[Dict[str, str]]:
    rows = [row for row in ranked[1:] if row["fits"] and row["exact_rate"] < best["exact_rate"] and row["total"]["minor"] > best["total"]["minor"]]
    if not rows:
        return []
    row = min(rows, key=lambda candidate: candidate["exact_rate"])
    gap = money.written(row["total"]["minor"] - best["total"]["minor"], currency)
    return [say("cheaper_per_unit", lang, **_names(row), per=row["effective_unit_price"]["per"], unit=_unit(row, currency), amount=gap)]
