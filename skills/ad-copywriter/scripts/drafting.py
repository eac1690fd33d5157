"""First variants from the brief's own words: each angle put into the forms a field allows, kept only when it passes every check."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List, Tuple

from review import Checker, likeness, sources

SHORT_FIELDS = {"headline", "long_headline", "title", "subtitle"}
SHORTEST = 30
_SAYS_END = re.compile(r"\b(?:until|till|through|ends?|ending|by|before)\b|截止|截至|为止|[日号天周月]前|[日号]止|[至到]\s*\d", re.IGNORECASE)
ALIKE = 0.6  # stricter than the check: drafts should differ


class Words:
    """The brief's building blocks in its language."""

    def __init__(self, brief: Dict[str, Any]):
        self.chinese = brief.get("lang", "en") == "zh"
        self.product, self.brand = brief["product"], brief.get("brand", "")
        self.benefits = brief.get("benefits", [])
        self.proof = [item["text"] for item in brief.get("proof", [])]
        offer = brief.get("offer")
        self.offers = [] if offer is None else list(dict.fromkeys([offer["text"] + self._until(offer["text"], offer.get("ends")), offer["text"]]))
        self.cta = brief.get("cta", "")
        self.keywords = brief.get("keywords", [])
        self.audience = brief.get("audience", "")

    def _until(self, text: str, day: Any) -> str:
        """The offer's end, unless its own words say one."""
        return "" if not day or _SAYS_END.search(text) else (f"（至 {day}）" if self.chinese else f" until {day}")

    def join(self, *parts: str) -> str:
        """Parts as sentences (long fields)."""
        kept = [part.rstrip(".。!！") for part in parts if part]
        return "，".join(kept) + "。" if self.chinese else ". ".join(part[:1].upper() + part[1:] for part in kept) + "."

    def pair(self, one: str, other: str) -> str:
        """Two parts in a short field."""
        return (f"{one}，{other}" if self.chinese else f"{one}: {other}") if one and other else ""


def _short(words: Words) -> Iterator[Tuple[str, str]]:
    """Angles for headlines and titles, the varied ones first."""
    name = words.brand or words.product
    yield "product", words.product
    for benefit in words.benefits:
        yield "benefit", benefit
    for offer in words.offers:
        yield "offer", offer
    for proof in words.proof:
        yield "proof", proof
    for keyword in words.keywords:
        yield "keyword", keyword
    if words.cta:
        yield "action", words.cta
        yield "action", words.pair(words.product, words.cta)
    if words.brand:
        yield "brand", words.brand
        yield "brand", f"{words.brand}{'' if words.chinese else ' '}{words.product}"
    for benefit in words.benefits:
        yield "benefit", words.pair(name, benefit)
    for offer in words.offers:
        yield "offer", words.pair(words.product, offer)
    if words.audience:
        yield "audience", f"{words.audience}专属" if words.chinese else f"For {words.audience}"


def _long(words: Words) -> Iterator[Tuple[str, str]]:
    """Angles for descriptions, bodies and posts, the fullest first."""
    benefits, proof, offers = words.benefits or [""], words.proof or [""], words.offers[:1] or [""]
    lead = words.pair(words.brand, words.product) or words.product
    yield "full", words.join(lead, benefits[0], proof[0], offers[0], words.cta)
    if words.brand:
        yield "brand", words.join(lead, benefits[0], words.cta)
    yield "benefit", words.join(benefits[0], proof[0], words.cta)
    yield "offer", words.join(offers[0], benefits[-1], words.cta)
    yield "proof", words.join(proof[-1], benefits[0], words.cta)
    for benefit in words.benefits:
        yield "benefit", words.join(words.product, benefit, words.cta)
        yield "benefit", words.join(benefit, words.cta)
    for offer in offers:
        yield "offer", words.join(words.product, offer, words.cta)
    yield "product", words.join(words.product, words.cta)


def draft(given: Dict[str, Any]) -> Dict[str, Any]:
    """One variant for each platform asked for, and what was tried and dropped."""
    checker = Checker(given["brief"], given.get("limits", {}))
    words = Words(given["brief"])
    variants, dropped = [], []
    for index, name in enumerate(given["platforms"]):
        platform = checker.platform(name, f"input.platforms[{index}]")
        fields: Dict[str, List[str]] = {}
        angles: List[Dict[str, Any]] = []
        for field in platform["fields"]:
            kept, failed = _fill(checker, platform, field, words)
            dropped += [{"platform": name, "field": field, **row} for row in failed]
            angles += [{"field": field, "index": position, "angle": angle} for position, (angle, _) in enumerate(kept)]
            if kept:
                fields[field] = [text for _, text in kept]
        variant = {"id": f"{name}-1", "platform": name, "fields": fields}
        report = checker.variant(variant, f"input.platforms[{index}]")
        variants.append({**variant, "angles": angles, "ok": report["ok"], "texts": report["texts"], "findings": report["findings"]})
    return {"ok": all(variant["ok"] for variant in variants), "variants": variants, "dropped": dropped, "limits": sources(checker, given["platforms"])}


def _fill(checker: Checker, platform: Dict[str, Any], field: str, words: Words) -> Tuple[List[Tuple[str, str]], List[Dict[str, str]]]:
    """The candidates that pass, as many as the field takes, and the others with their reasons."""
    limit = platform["fields"][field]
    most = limit["max_items"] if limit["min_items"] else 1
    tried = [(angle, text, _problem(checker, platform, field, text)) for angle, text in _candidates(field, limit, words)]
    fitting = [(angle, text) for angle, text, problem in tried if not problem]
    within = [(angle, text) for angle, text in fitting if checker.count(platform, field, 0, text)["count"] <= limit.get("recommended", limit["max"])]
    if most == 1:
        chosen = [max(within or fitting, key=lambda item: checker.count(platform, field, 0, item[1])["count"])] if fitting else []
    else:
        chosen = []
        for angle, text in within or fitting[:1]:
            if len(chosen) < most and all(likeness(text, other) < ALIKE for _, other in chosen):
                chosen.append((angle, text))
    return chosen, [{"text": text, "reason": problem} for _, text, problem in tried if problem]


def _candidates(field: str, limit: Dict[str, Any], words: Words) -> List[Tuple[str, str]]:
    if field in ("business_name", "brand_name", "name"):
        found = [("brand", words.brand or words.product)]
    elif field == "path":
        found = [("keyword", keyword.replace(" ", "-").lower()) for keyword in words.keywords]
    elif field == "keywords":
        found = [("keyword", ",".join(words.keywords))]
    elif field in SHORT_FIELDS or 1 < limit.get("recommended", limit["max"]) <= SHORTEST:
        found = list(_short(words))
    else:
        found = list(_long(words))
    return [(angle, text) for angle, text in dict((text, (angle, text)) for angle, text in reversed(found)).values() if text][::-1]


def _problem(checker: Checker, platform: Dict[str, Any], field: str, text: str) -> str:
    """Why a candidate cannot stand; empty when it can."""
    errors = [found for found in checker.findings(platform, field, text, checker.count(platform, field, 0, text)) if found["severity"] == "error"]
    if not errors:
        return ""
    match = f" (`{errors[0]['match']}`)" if errors[0]["match"] else ""
    return f"{errors[0]['code']}: {errors[0]['message']}{match}"
