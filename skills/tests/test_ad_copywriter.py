"""Counting rules, forbidden claims, editorial rules and drafts of ad-copywriter."""

from __future__ import annotations

import json
import re
import unittest

import support

SKILL = "ad-copywriter"
CHECK, DRAFT = support.tool(SKILL, "check"), support.tool(SKILL, "draft")
counting = support.module(SKILL, "counting")
rules = support.module(SKILL, "rules")
review = support.module(SKILL, "review")
PLATFORMS = json.loads((support.SKILLS / SKILL / "references/platforms.json").read_text(encoding="utf-8"))


def codes(text, platform="x-post", field="text", **brief):
    """The codes of the findings on one text."""
    given = {"brief": {"product": "Thing", **brief}, "variants": [{"id": "v", "platform": platform, "fields": {field: [text]}}]}
    result = support.run(CHECK, given)
    assert result.code in (0, 1), result.err
    return [finding["code"] for finding in result.json()["variants"][0]["findings"] if finding["code"] not in ("too_few",)]


def claims(text, markets, industry="general"):
    return {finding.code for finding in rules.forbidden(text, rules.claims(), markets, industry, "en")}


class Counting(unittest.TestCase):
    def test_graphemes(self):
        for text, count in [("abc", 3), ("e\u0301", 1), ("👨‍👩‍👧‍👦", 1), ("🙋🏽", 1), ("🇩🇪🇨🇳", 2), ("👍🏿!", 2), ("1️⃣", 1), ("中文", 2), ("\r\n", 1), ("각", 1), ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", 1), ("", 0), ("❤️‍🔥", 1), ("a\u200db", 2)]:
            with self.subTest(text):
                self.assertEqual(len(counting.graphemes(text)), count)

    def test_x_weights(self):
        cases = [
            ("café", 4), ("cafe\u0301", 4), ("👾", 2), ("👨‍👩‍👧‍👦", 2), ("🙋🏽", 2), ("中文", 4), ("한국", 4), ("日本", 4), ("a" * 280, 280), ("“quoted”", 8), ("…", 2), ("–", 1),
            ("https://example.com", 23), ("see https://example.com/a/very/long/path?with=query now", 4 + 23 + 4), ("go example.com/x", 3 + 23), ("v1.2.3", 6), ("看https://a.cn/b，好", 2 + 23 + 4),
        ]
        for text, weight in cases:
            with self.subTest(text):
                self.assertEqual(counting.x_weighted(text), weight)

    def test_double_width(self):
        for text, width in [("abc", 3), ("中文", 4), ("ａ", 2), ("，", 2), ("é", 1), ("e\u0301", 1), ("한", 2), ("ｱ", 1), ("a中", 3)]:
            with self.subTest(text):
                self.assertEqual(counting.double_width(text), width)

    def test_sms(self):
        cases = [("a" * 160, "GSM-7", 1), ("a" * 161, "GSM-7", 2), ("a" * 306, "GSM-7", 2), ("a" * 307, "GSM-7", 3), ("€" * 80, "GSM-7", 1), ("€" * 81, "GSM-7", 2),
                 ("中" * 70, "UCS-2", 1), ("中" * 71, "UCS-2", 2), ("中" * 134, "UCS-2", 2), ("中" * 135, "UCS-2", 3), ("“" + "a" * 70, "UCS-2", 2), ("😀" * 35, "UCS-2", 1), ("😀" * 36, "UCS-2", 2)]
        for text, coding, segments in cases:
            with self.subTest(text[:3], length=len(text)):
                found = counting.sms(text)
                self.assertEqual((found.coding, found.segments), (coding, segments))

    def test_limits_are_exact(self):
        cases = [("google-rsa", "headline", "a" * 30), ("google-rsa", "headline", "中" * 15), ("apple-app-store", "subtitle", "中" * 30), ("wechat-moments", "text", "中" * 40),
                 ("xiaohongshu", "title", "🍜" * 20), ("x-post", "text", "中" * 140), ("baidu-search", "title", "中" * 25)]
        for platform, field, text in cases:
            with self.subTest(platform=platform):
                brief = {"lang": "zh"}
                self.assertNotIn("too_long", codes(text, platform, field, **brief))
                self.assertIn("too_long", codes(text + text[0], platform, field, **brief))

    def test_own_limits(self):
        given = {"brief": {"product": "Thing"}, "variants": [{"id": "v", "platform": "x-post", "fields": {"text": ["abcdef"]}}], "limits": {"x-post": {"text": 5}}}
        self.assertEqual(support.run(CHECK, given).json()["variants"][0]["findings"][0]["code"], "too_long")
        given["limits"] = {"x-post": {"nope": 5}}
        self.assertIn("input.limits.x-post.nope: unknown field", support.run(CHECK, given).err)


class Data(unittest.TestCase):
    def test_platforms_are_whole(self):
        text = (support.SKILLS / SKILL / "references/platforms.md").read_text(encoding="utf-8")
        for name, platform in PLATFORMS.items():
            with self.subTest(name):
                self.assertIn(f"| {name} |", text)
                self.assertEqual(set(platform), {"name", "counting", "fields", "rules", "basis", "source"})
                self.assertIn(platform["counting"], counting.RULES)
                self.assertLessEqual(set(platform["rules"]), set(rules.WORDS))
                self.assertTrue(platform["source"])
                for field, limit in platform["fields"].items():
                    self.assertIn(str(limit["max"]), text, field)
                    self.assertLessEqual(limit["min_items"], limit["max_items"])

    def test_claims_are_whole(self):
        text = (support.SKILLS / SKILL / "references/claims.md").read_text(encoding="utf-8")
        for row in json.loads((support.SKILLS / SKILL / "references/claims.json").read_text(encoding="utf-8")):
            with self.subTest(row["id"]):
                re.compile(row["pattern"])
                self.assertIn(row["id"], text)
                self.assertTrue(row["law"] and row["en"] and row["zh"])


class Claims(unittest.TestCase):
    def test_found_in_china(self):
        for text in ["国家级品质", "最佳选择", "全网销量第一", "第一品牌", "史无前例", "NO.1", "ＮＯ．１", "顶级享受", "最 佳", "最·佳", "世界领先，全球首家", "唯一", "独一无二", "100%有效", "首选", "绝对安全", "最\u200b好"]:
            with self.subTest(text):
                self.assertIn("cn-absolute", claims(text, ["cn"]))

    def test_not_found_in_china(self):
        for text in ["第一次来", "第一步", "第一天", "第一口就爱上", "最近上新", "最后", "最新款", "唯一标识", "100%棉", "追求极致", "最佳食用期", "最低起订量 10 件", "最大承重 100kg", "最高立减 50 元", "绝对值", "好吃不贵", "第一章"]:
            with self.subTest(text):
                self.assertNotIn("cn-absolute", claims(text, ["cn"]))

    def test_by_trade(self):
        cases = [("保本保收益", "finance", "cn-finance"), ("包过", "education", "cn-education"), ("投资回报高", "property", "cn-property"), ("治愈率高", "medical", "cn-medical-promise"), ("替代药物", "food", "cn-health-food")]
        for text, industry, code in cases:
            with self.subTest(text):
                self.assertIn(code, claims(text, ["cn"], industry))
                self.assertNotIn(code, claims(text, ["cn"], "general"))
        self.assertIn("cn-medical-words", claims("治疗失眠", ["cn"]))
        self.assertNotIn("cn-medical-words", claims("治疗失眠", ["cn"], "medical"))

    def test_in_english(self):
        cases = [("The world's best bottle", "unproven-superlative"), ("#1 choice", "unproven-superlative"), ("Guaranteed results", "guarantee"), ("Cures insomnia", "health-claim"), ("Lose 5 kg fast", "health-claim"),
                 ("risk-free investment", "finance-promise"), ("eco-friendly", "green-claim"), ("Totally free", "free-claim"), ("Last chance", "fake-urgency")]
        for text, code in cases:
            with self.subTest(text):
                self.assertIn(code, claims(text, ["us", "eu"]))
                self.assertEqual(claims(text, ["cn"]), set())
        self.assertNotIn("green-claim", claims("eco-friendly", ["us"]))
        for text in ["Best before June", "We do our best", "Our guarantee lasts 2 years", "green bottle", "free of sugar", "Leads you home"]:
            with self.subTest(text):
                self.assertEqual(claims(text, ["us", "eu"]), set())

    def test_the_words_are_quoted_as_they_stand(self):
        found = list(rules.forbidden("汤底最 佳！", rules.claims(), ["cn"], "general", "zh"))
        self.assertEqual((found[0].match, found[0].start), ("最 佳", 2))


class Editorial(unittest.TestCase):
    def test_rules(self):
        cases = [
            ("Big sale!", "google-rsa", "headline", "no_exclamation_in_headline"), ("Wow!! Now", "google-rsa", "description", "no_repeated_punctuation"), ("A! B!", "google-rsa", "description", "one_exclamation"),
            ("BUY NOW today", "google-rsa", "headline", "no_shouting"), ("AMAZING day", "google-rsa", "headline", "no_shouting"), ("Sun ☀️", "google-rsa", "headline", "no_emoji"), ("Call 555 123 4567", "google-rsa", "description", "no_phone"),
            ("电话13912345678", "baidu-search", "title", "no_phone"), ("咨询400-123-4567", "baidu-search", "title", "no_phone"), ("Click here to buy", "google-rsa", "description", "no_click_here"), ("Are you overweight?", "meta-feed", "primary_text", "no_personal_attributes"),
            ("Best app, $2", "apple-app-store", "subtitle", "no_price_in_name"), ("看 http://a.cn/b", "wechat-moments", "text", "no_url"), ("转发领取", "wechat-moments", "text", "no_inducement"), ("好吃——不贵", "wechat-moments", "text", "no_dash"),
            ("Hi {name}", "x-post", "text", "placeholder"), ("Try [Brand] now", "x-post", "text", "placeholder"), ("【品牌】好物", "x-post", "text", "placeholder"),
        ]
        for text, platform, field, code in cases:
            with self.subTest(text):
                self.assertIn(code, codes(text, platform, field))

    def test_what_is_fine(self):
        for text, platform, field, brief in [
            ("USB GPS Tracker", "google-rsa", "headline", {"product": "USB GPS tracker"}), ("Open 9-17 daily", "google-rsa", "description", {"notes": "9-17"}), ("From 1,299.00 to 999", "x-post", "text", {"notes": "1299 999.00"}),
            ("Wait... what", "google-rsa", "description", {}), ("Sun ☀️", "x-post", "text", {}), ("Keyboards [wired]", "x-post", "text", {}), ("NASA made it", "x-post", "text", {}),
        ]:
            with self.subTest(text):
                self.assertEqual(codes(text, platform, field, **brief), [])

    def test_numbers_must_come_from_the_brief(self):
        cases = [("Only 24 hours", {"benefits": ["24 hours"]}, False), ("Only 48 hours", {"benefits": ["24 hours"]}, True), ("Save 1,000 EUR", {"notes": "1000 EUR"}, False), ("Save 10.0 %", {"notes": "10 %"}, False), ("第二碗半价", {"lang": "zh"}, True),
                 ("第二碗半价", {"lang": "zh", "notes": "半价"}, False), ("全场八折", {"lang": "zh", "notes": "9折"}, True), ("３折", {"lang": "zh", "notes": "3折"}, False), ("see https://a.com/99", {}, False), ("1 of 2", {"banned": ["1", "2"]}, True)]
        for text, brief, flagged in cases:
            with self.subTest(text, brief=brief):
                self.assertEqual("number_not_in_brief" in codes(text, **brief), flagged)

    def test_words_that_must_and_must_not_stand(self):
        self.assertIn("must_include", codes("Hello", must_include=["Acme"]))
        self.assertNotIn("must_include", codes("hello ACME", must_include=["Acme"]))
        self.assertIn("banned_word", codes("A Thermos", banned=["thermos"]))

    def test_twins(self):
        given = {"brief": {"product": "T"}, "variants": [{"id": "v", "platform": "google-rsa", "fields": {"headline": ["Cold water", "Cold water.", "Cold clear fresh water now", "cold fresh clear water now"], "description": ["a", "b"]}}]}
        found = support.run(CHECK, given).json()["variants"][0]["findings"]
        self.assertEqual([(finding["code"], finding["index"]) for finding in found], [("same_text", 1), ("nearly_same", 3)])

    def test_unknown_platforms_and_fields_are_refused(self):
        for variant, part in [({"platform": "myspace", "fields": {"x": ["a"]}}, "no known platform; known are google-rsa"), ({"platform": "x-post", "fields": {"body": ["a"]}}, "unknown field; x-post has text")]:
            result = support.run(CHECK, {"brief": {"product": "T"}, "variants": [{"id": "v", **variant}]})
            self.assertEqual(result.code, 3)
            self.assertIn(part, result.err)


class Drafts(unittest.TestCase):
    def draft(self, platforms, **brief):
        return support.run(DRAFT, {"brief": {"product": "Trail bottle", **brief}, "platforms": platforms})

    def test_every_platform_gets_texts_within_its_limits(self):
        full = {"brand": "Fjell", "benefits": ["Keeps cold all day", "Light as a feather"], "proof": [{"text": "Tested by hikers"}], "offer": {"text": "Second bottle half off"}, "cta": "Choose yours", "keywords": ["bottle", "hiking"]}
        result = self.draft(list(PLATFORMS), **full)
        for variant in result.json()["variants"]:
            with self.subTest(variant["platform"]):
                self.assertTrue(variant["texts"])
                self.assertTrue(variant["ok"], variant["findings"])
                for text in variant["texts"]:
                    self.assertLessEqual(text["count"], text["max"])

    def test_facts_that_may_not_be_said_are_dropped_with_the_reason(self):
        answer = self.draft(["douyin-feed"], lang="zh", product="山野水壶", benefits=["全国第一保温", "轻便好携带"]).json()
        self.assertTrue(any("cn-absolute" in row["reason"] for row in answer["dropped"]))
        self.assertNotIn("第一", json.dumps(answer["variants"][0]["fields"], ensure_ascii=False))

    def test_a_thin_brief_fails_loudly(self):
        result = self.draft(["google-rsa"])
        self.assertEqual(result.code, 1)
        self.assertIn("too_few", [finding["code"] for finding in result.json()["variants"][0]["findings"]])

    def test_drafts_pass_the_check(self):
        given = json.loads((support.SKILLS / SKILL / "examples/draft-bottle.in.json").read_text(encoding="utf-8"))
        variants = [{key: variant[key] for key in ("id", "platform", "fields")} for variant in support.run(DRAFT, given).json()["variants"]]
        self.assertEqual(support.run(CHECK, {"brief": given["brief"], "variants": variants}).code, 0)

    def test_long_texts_finish_quickly(self):
        for text in ["最" * 6000, "a" * 6000, "1-" * 3000, "https://" * 700, "A " * 3000, "👨‍👩‍👧‍👦" * 800]:
            codes(text[:6000], "google-play", "full_description")


if __name__ == "__main__":
    unittest.main()
