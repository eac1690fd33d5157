"""Checks every text of every variant and says what is wrong, where and why."""

from __future__ import annotations

import json
import re
from typing import Any, Dict, Iterator, List, Optional, Set

import counting
import rules
from wire import refuse

ALIKE = 0.8
DEFAULT_MARKETS = {"en": ["us", "eu"], "zh": ["cn"]}


class Checker:
    """Everything that stays the same for all variants of one brief."""

    def __init__(self, brief: Dict[str, Any], limits: Dict[str, Any]):
        self.brief, self.lang = brief, brief.get("lang", "en")
        self.markets = brief.get("markets", DEFAULT_MARKETS[self.lang])
        self.industry = brief.get("industry", "general")
        self.platforms = rules.platforms()
        self.claims = rules.claims()
        self.said = json.dumps({key: value for key, value in brief.items() if key != "banned"}, ensure_ascii=False)
        for platform, fields in limits.items():
            self._own_limits(platform, fields)

    def _own_limits(self, platform: str, fields: Dict[str, int]) -> None:
        for field, most in fields.items():
            if field not in self.platform(platform, "input.limits")["fields"]:
                raise refuse(f"input.limits.{platform}.{field}", f"unknown field; {platform} has {', '.join(self.platforms[platform]['fields'])}")
            self.platforms[platform]["fields"][field]["max"] = most

    def platform(self, name: str, where: str) -> Dict[str, Any]:
        """A platform's limits, or the refusal that names the known ones."""
        if name not in self.platforms:
            raise refuse(where, f"`{name}` is no known platform; known are {', '.join(self.platforms)}")
        return self.platforms[name]

    def variant(self, raw: Dict[str, Any], where: str) -> Dict[str, Any]:
        """One variant with its counts and findings."""
        platform = self.platform(raw["platform"], f"{where}.platform")
        texts: List[Dict[str, Any]] = []
        findings: List[Dict[str, Any]] = []
        for field, items in raw["fields"].items():
            if field not in platform["fields"]:
                raise refuse(f"{where}.fields.{field}", f"unknown field; {raw['platform']} has {', '.join(platform['fields'])}")
            for index, text in enumerate(items):
                counted = self.count(platform, field, index, text)
                texts.append(counted)
                findings += [{"field": field, "index": index, **found} for found in self.findings(platform, field, text, counted)]
            findings += [{"field": field, **found} for found in _twins(items, self.lang)]
        findings += self._numbers_of_items(platform, raw["fields"]) + self._must_include(raw["fields"])
        errors = sum(found["severity"] == "error" for found in findings)
        return {"id": raw["id"], "platform": raw["platform"], "ok": errors == 0, "texts": texts, "findings": findings}

    def count(self, platform: Dict[str, Any], field: str, index: int, text: str) -> Dict[str, Any]:
        limit = platform["fields"][field]
        count = counting.RULES[platform["counting"]](text)
        shown = {"count": count, "max": limit["max"], "recommended": limit.get("recommended"), "counting": platform["counting"]}
        return {"field": field, "index": index, "text": text, **shown}

    def findings(self, platform: Dict[str, Any], field: str, text: str, counted: Dict[str, Any]) -> Iterator[Dict[str, Any]]:
        limit = platform["fields"][field]
        if counted["count"] > limit["max"]:
            yield _plain("too_long", "error", self.lang, count=counted["count"], limit=limit["max"], over=counted["count"] - limit["max"])
        elif counted["count"] > limit.get("recommended", limit["max"]):
            yield _plain("longer_than_recommended", "warning", self.lang, count=counted["count"], limit=limit["recommended"])
        if counted["count"] < limit.get("min", 1):
            yield _plain("too_short", "error", self.lang, count=counted["count"], limit=limit.get("min", 1))
        found = list(rules.forbidden(text, self.claims, self.markets, self.industry, self.lang))
        found += rules.editorial(text, field, platform["rules"], self.said, self.lang)
        found += rules.faithful(text, self.said, self.brief.get("banned", []), self.lang)
        for finding in sorted(found, key=lambda item: (item.start, item.code)):
            yield {"code": finding.code, "severity": finding.severity, "match": finding.match, "message": finding.message, "law": finding.law}

    def _numbers_of_items(self, platform: Dict[str, Any], fields: Dict[str, List[str]]) -> List[Dict[str, Any]]:
        found = []
        for field, limit in platform["fields"].items():
            count = len(fields.get(field, []))
            if count < limit["min_items"]:
                found.append({"field": field, "index": None, **_plain("too_few", "error", self.lang, count=count, limit=limit["min_items"], field=field)})
            if count > limit["max_items"]:
                found.append({"field": field, "index": None, **_plain("too_many", "error", self.lang, count=count, limit=limit["max_items"], field=field)})
        return found

    def _must_include(self, fields: Dict[str, List[str]]) -> List[Dict[str, Any]]:
        whole = "\n".join(text for items in fields.values() for text in items).casefold()
        missing = [word for word in self.brief.get("must_include", []) if word.casefold() not in whole]
        return [{"field": None, "index": None, **_plain("must_include", "error", self.lang, word=word)} for word in missing]


TEXTS = {
    "too_long": {"en": "{count} counted, {limit} allowed: {over} too many", "zh": "计 {count}，上限 {limit}，超出 {over}"},
    "longer_than_recommended": {"en": "{count} counted, cut off after about {limit}", "zh": "计 {count}，约 {limit} 之后会被折叠"},
    "too_short": {"en": "{count} counted, at least {limit} needed", "zh": "计 {count}，至少 {limit}"},
    "too_few": {"en": "{count} of {field}, at least {limit} needed", "zh": "{field} 有 {count} 条，至少 {limit} 条"},
    "too_many": {"en": "{count} of {field}, at most {limit} allowed", "zh": "{field} 有 {count} 条，至多 {limit} 条"},
    "must_include": {"en": "`{word}` must appear", "zh": "必须包含“{word}”"},
    "same_text": {"en": "the same as number {other}", "zh": "与第 {other} 条相同"},
    "nearly_same": {"en": "nearly the same as number {other}; give another angle", "zh": "与第 {other} 条近似，请换角度"},
}


def _plain(code: str, severity: str, lang: str, **values: Any) -> Dict[str, Any]:
    return {"code": code, "severity": severity, "match": None, "message": TEXTS[code][lang].format(**values), "law": None}


def _twins(items: List[str], lang: str) -> Iterator[Dict[str, Any]]:
    for index, text in enumerate(items):
        for other in range(index):
            if _folded(text) == _folded(items[other]):
                yield {"index": index, **_plain("same_text", "error", lang, other=other + 1)}
                break
            if likeness(text, items[other]) >= ALIKE:
                yield {"index": index, **_plain("nearly_same", "warning", lang, other=other + 1)}
                break


def _folded(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


def likeness(one: str, other: str) -> float:
    """How much two texts share, by words or, in Chinese, by pairs of characters (Jaccard)."""
    first, second = _parts(one), _parts(other)
    return len(first & second) / len(first | second) if first and second else 0.0


def _parts(text: str) -> Set[str]:
    chinese = re.findall(r"[\u4e00-\u9fff]+", text)
    pairs = {run[index : index + 2] for run in chinese for index in range(max(len(run) - 1, 1))}
    return pairs | set(re.findall(r"[a-z0-9']+", text.casefold()))


def check(given: Dict[str, Any]) -> Dict[str, Any]:
    """The report on all variants."""
    checker = Checker(given["brief"], given.get("limits", {}))
    variants = [checker.variant(raw, f"input.variants[{index}]") for index, raw in enumerate(given["variants"])]
    found = [finding for variant in variants for finding in variant["findings"]]
    return {
        "ok": all(variant["ok"] for variant in variants),
        "errors": sum(finding["severity"] == "error" for finding in found), "warnings": sum(finding["severity"] == "warning" for finding in found),
        "markets": checker.markets, "industry": checker.industry, "variants": variants, "limits": sources(checker, [variant["platform"] for variant in variants]),
    }


def sources(checker: Checker, names: List[str]) -> List[Dict[str, Optional[str]]]:
    """Where the limits used come from."""
    known = checker.platforms
    return [{"platform": name, **{key: known[name][key] for key in ("name", "basis", "source")}} for name in dict.fromkeys(names)]
