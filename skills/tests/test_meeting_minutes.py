"""Dates, speakers, decisions and actions of meeting-minutes."""

from __future__ import annotations

import json
import tempfile
import time
import unittest
from datetime import date, timedelta
from pathlib import Path

import support

SKILL = "meeting-minutes"
EXTRACT, RENDER = support.tool(SKILL, "extract"), support.tool(SKILL, "render")
days = support.module(SKILL, "days")
cues = support.module(SKILL, "cues")
transcript = support.module(SKILL, "transcript")
people = support.module(SKILL, "people")
WEDNESDAY = date(2025, 6, 11)


def extract(text, **more):
    more.setdefault("meeting", {"date": "2025-06-11"})
    result = support.run(EXTRACT, {"transcript": text, **more})
    assert result.code == 0, result.err
    return result.json()


def actions(text, **more):
    found = extract(text, **more)["actions"]
    return [(action["owner"], action["task"], (action["deadline"] or {}).get("date")) for action in found]


class Dates(unittest.TestCase):
    def one(self, text, base=WEDNESDAY, **setting):
        found = days.find(text, days.Setting(base, **setting))
        self.assertEqual(len(found), 1, (text, found))
        return found[0]

    def test_words_and_days(self):
        cases = [
            ("by Friday", "2025-06-13"), ("this Friday", "2025-06-13"), ("next Monday", "2025-06-16"), ("Tuesday", "2025-06-17"), ("tomorrow", "2025-06-12"),
            ("day after tomorrow", "2025-06-13"), ("in two weeks", "2025-06-25"), ("in a month", "2025-07-11"), ("within 3 business days", "2025-06-16"),
            ("10 days from now", "2025-06-21"), ("a week from Friday", "2025-06-20"), ("Friday next week", "2025-06-20"), ("next week Thursday", "2025-06-19"),
            ("end of the week", "2025-06-13"), ("EOW", "2025-06-13"), ("end of next week", "2025-06-20"), ("end of the month", "2025-06-30"), ("EOM", "2025-06-30"),
            ("end of August", "2025-08-31"), ("end of March", "2026-03-31"), ("end of Q3", "2025-09-30"), ("end of the quarter", "2025-06-30"), ("EOY", "2025-12-31"),
            ("June 20", "2025-06-20"), ("20th of June", "2025-06-20"), ("Jun. 20", "2025-06-20"), ("January 5", "2026-01-05"), ("the 25th", "2025-06-25"), ("the 5th", "2025-07-05"),
            ("June 20, 2026", "2026-06-20"), ("2025-07-01", "2025-07-01"), ("13/7/2025", "2025-07-13"), ("last Friday", "2025-06-06"),
            ("本周五", "2025-06-13"), ("这周日", "2025-06-15"), ("周五", "2025-06-13"), ("下周五", "2025-06-20"), ("下个星期五", "2025-06-20"), ("下下周一", "2025-06-23"), ("礼拜天", "2025-06-15"),
            ("明天", "2025-06-12"), ("大后天", "2025-06-14"), ("三天后", "2025-06-14"), ("两周后", "2025-06-25"), ("五个工作日内", "2025-06-18"), ("一个月内", "2025-07-11"),
            ("6月20号", "2025-06-20"), ("六月二十号", "2025-06-20"), ("2025年7月1日", "2025-07-01"), ("20号", "2025-06-20"), ("5号", "2025-07-05"), ("下个月5号", "2025-07-05"),
            ("月底", "2025-06-30"), ("下月底", "2025-07-31"), ("本周内", "2025-06-13"), ("下周内", "2025-06-20"), ("季度末", "2025-06-30"), ("年底", "2025-12-31"),
        ]
        for text, day in cases:
            with self.subTest(text):
                self.assertEqual(str(self.one(text).day), day)

    def test_what_people_differ_about_is_uncertain(self):
        cases = [
            ("next Friday", "2025-06-20", "2025-06-13"), ("Wednesday", "2025-06-18", "2025-06-11"), ("6/7", "2025-06-07", "2025-07-06"),
            ("next week", "2025-06-20", None), ("下周", "2025-06-20", None), ("中旬", None, None), ("下月初", "2025-07-10", None), ("June 3", "2025-06-03", "2026-06-03"),
        ]
        for text, day, other in cases:
            with self.subTest(text):
                if day is None:
                    self.assertEqual(days.find(text, days.Setting(WEDNESDAY)), [])
                    continue
                found = self.one(text)
                self.assertFalse(found.certain)
                self.assertEqual((str(found.day), found.alternative and str(found.alternative)), (day, other))

    def test_next_friday_can_be_told_to_mean_the_coming_one(self):
        found = self.one("next Friday", next_weekday="coming")
        self.assertEqual((str(found.day), str(found.alternative)), ("2025-06-13", "2025-06-20"))

    def test_numeric_dates_can_be_day_first(self):
        self.assertEqual(str(self.one("6/7", numeric="dmy").day), "2025-07-06")

    def test_no_dates(self):
        for text in ["he sat down", "the sun is out", "I may go", "Q3 numbers", "step 2/3/4", "第5号方案", "version 1.2.3", "周期很长", "20号楼", "上下文", "30 February", "2025-13-40", "the 3rd item", "see 1/1000"]:
            with self.subTest(text):
                self.assertEqual(days.find(text, days.Setting(WEDNESDAY)), [])

    def test_times_and_deadline_words(self):
        cases = [
            ("by 5pm Friday", "17:00", True), ("Friday at 3:30 pm", "15:30", False), ("后天下午两点", "14:00", False), ("周五上午9点前", "09:00", True),
            ("no later than June 20", None, True), ("月底前", None, True), ("明天", None, False), ("周五晚上8点半", "20:30", False), ("tomorrow at 12 am", "00:00", False),
        ]
        for text, clock, deadline in cases:
            with self.subTest(text):
                found = self.one(text)
                self.assertEqual((found.time, found.deadline, found.text), (clock, deadline, text))

    def test_holidays_are_no_working_days(self):
        found = self.one("within 2 working days", holidays=frozenset([date(2025, 6, 12)]))
        self.assertEqual(str(found.day), "2025-06-16")

    def test_years_turn_over(self):
        base = date(2025, 12, 30)
        for text, day in [("下下周一", "2026-01-12"), ("next Friday", "2026-01-09"), ("in 3 days", "2026-01-02"), ("end of next month", "2026-01-31"), ("January 2", "2026-01-02"), ("周三", "2025-12-31")]:
            with self.subTest(text):
                text = text.replace("end of next month", "下月底")
                self.assertEqual(str(self.one(text, base).day), day)

    def test_weekdays_agree_with_the_calendar_from_every_day(self):
        for step in range(14):
            base = WEDNESDAY + timedelta(days=step)
            for number, (english, chinese) in enumerate(zip(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"], "一二三四五六日")):
                coming, following = self.one(english, base).day, self.one(f"下周{chinese}", base).day
                self.assertEqual(coming.weekday(), number)
                self.assertTrue(0 < (coming - base).days <= 7)
                self.assertEqual(following.weekday(), number)
                self.assertEqual((following - base).days, 7 - base.weekday() + number)
                self.assertEqual(self.one(f"next {english}", base).day, following)

    def test_without_a_meeting_date_only_full_dates_resolve(self):
        self.assertIsNone(days.find("by Friday", days.Setting(None))[0].day)
        self.assertEqual(str(days.find("by 2025-06-20", days.Setting(None))[0].day), "2025-06-20")

    def test_the_ends_of_time_do_not_crash(self):
        for text in ["in 999 weeks", "next Friday", "下下周五", "月底", "within 250 business days"]:
            days.find(text, days.Setting(date(9999, 12, 30)))


class Speakers(unittest.TestCase):
    def speakers(self, text):
        return [line.speaker for line in transcript.read(text, []).lines]

    def test_forms(self):
        cases = [
            ("Ann: hi\nBen: yo", ["Ann", "Ben"]), ("[00:01:02] Ann Lee: hi\n[00:01:09] Ben: yo", ["Ann Lee", "Ben"]), ("00:12 - Ann: hi\n0:15 Ben: yo", ["Ann", "Ben"]),
            ("Ann 00:01:02\nhi\nthere\n\nBen 00:01:09\nyo", ["Ann", "Ann", "Ben"]), ("Ann Lee   0:05\nhi\nBen   0:09\nyo", ["Ann Lee", "Ben"]),
            ("张三：大家好\n李四：好", ["张三", "李四"]), ("张三(产品) 00:00:01\n大家好", ["张三"]), ("发言人1 00:01\n好\n发言人2 00:05\n行", ["发言人1", "发言人2"]),
            ("Ann: hi\nNote: http://x.org: all fine\nBen: yo", ["Ann", "Ann", "Ben"]), ("Ann: hi\nand more\nBen: yo", ["Ann", "Ann", "Ben"]),
            ("@ann: hi\n@ben: yo", ["ann", "ben"]), ("Ann (PM): hi\nBen: yo", ["Ann", "Ben"]), ("just notes\nmore notes", [None, None]),
            ("1\n00:00:01,000 --> 00:00:02,000\nAnn: hi\n\n2\n00:00:03,000 --> 00:00:04,000\nBen: yo", ["Ann", "Ben"]),
            ("WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>hi</v>\n\nNOTE nothing\n\n00:03.000 --> 00:04.000\n<v.loud Ben>yo", ["Ann", "Ben"]),
        ]
        for text, names in cases:
            with self.subTest(text):
                self.assertEqual(self.speakers(text), names)

    def test_lines_and_times(self):
        lines = transcript.read("\n[00:01:02] Ann: hi\r\n\r\n[1:02:03] Ben: yo", []).lines
        self.assertEqual([(line.number, line.time) for line in lines], [(2, 62), (4, 3723)])

    def test_headings(self):
        found = extract("# Weekly\nDate: June 11, 2025\nAttendees: Ann, Ben; Cleo\n\nAnn: hi\nBen: yo", meeting={})
        self.assertEqual((found["meeting"]["title"], found["meeting"]["date"]), ("Weekly", "2025-06-11"))
        self.assertEqual([person["name"] for person in found["attendees"]], ["Ann", "Ben", "Cleo"])

    def test_nothing_spoken_is_refused(self):
        result = support.run(EXTRACT, {"transcript": "Date: 2025-06-11\n"})
        self.assertEqual(result.code, 3)
        self.assertIn("holds no spoken line", result.err)


class Names(unittest.TestCase):
    def test_forms_that_fit_one_person(self):
        room = people.People([people.Person("王芳", ()), people.Person("张晓明", ("Max",)), people.Person("Alice Chen", ())], ["Bob"])
        for form, name in [("小王", "王芳"), ("王总", "王芳"), ("晓明", "张晓明"), ("老张", "张晓明"), ("Max", "张晓明"), ("alice", "Alice Chen"), ("@bob", "Bob"), ("李四", None), ("Al", None)]:
            with self.subTest(form):
                self.assertEqual(room.who(form), name)

    def test_forms_that_fit_two_fit_nobody(self):
        room = people.People([people.Person("王芳", ()), people.Person("王强", ()), people.Person("Ann Lee", ()), people.Person("Ann Poe", ())], [])
        for form in ["小王", "王总", "Ann"]:
            self.assertIsNone(room.who(form))
        self.assertEqual(room.who("Ann Lee"), "Ann Lee")


class Decisions(unittest.TestCase):
    def test_decisions(self):
        for text in ["We decided to ship on Monday.", "Let's go with plan B.", "Decision: no travel this year.", "We've agreed on the price.", "OK, we'll use the old logo.", "The budget is approved.", "Then the 26th it is.",
                     "我们决定用方案A。", "就这么定了。", "那就按李四说的办。", "决议：暂停招聘。", "大家一致同意。", "验收就定在周一。", "最终采用乙方案。"]:
            with self.subTest(text):
                self.assertIsNotNone(cues.decision(text))

    def test_no_decisions(self):
        for text in ["Should we go with plan B?", "We haven't decided yet.", "If it works, we'll use it.", "We need to decide by Friday.", "I don't think we agreed on that.", "Have we agreed?",
                     "还没决定。", "要不要用方案A？", "如果同意，我们再决定。", "这个由老板决定。", "待定。", "没有通过。", "不确定。", "Nice weather."]:
            with self.subTest(text):
                self.assertIsNone(cues.decision(text))

    def test_open_points(self):
        for text, point in [("Still open: who pays for the travel?", "who pays for the travel?"), ("Open question: which venue", "which venue"), ("遗留问题：谁出差旅费", "谁出差旅费"), ("Still unclear: the date", "the date")]:
            with self.subTest(text):
                self.assertEqual(cues.open_point(text), point)
        self.assertIsNone(cues.open_point("The shop is still open until nine."))

    def test_a_question_of_who_is_open_until_somebody_takes_it(self):
        for text, points in [("Ann: Who writes the notes?\nBen: No idea.", 1), ("Ann: Who will write the notes?\nBen: Good question.", 1), ("Ann: Who will write the notes?\nBen: I'll write them.", 0), ("李雷：话术谁来写？\n王芳：不知道。", 1), ("李雷：话术谁来写？\n王芳：我来写。", 0)]:
            with self.subTest(text):
                self.assertEqual(len(extract(text)["open_points"]), points)

    def test_the_day_of_the_meeting_stands_in_its_heading(self):
        self.assertEqual(extract("Weekly – 12 May 2026\n\nAnn: I'll call by Friday.\nBen: Good.\nAnn: Bye.", meeting={})["meeting"]["date"], "2026-05-12")

    def test_a_bare_decision_brings_what_it_means(self):
        found = extract("Ann: Plan B costs 5k.\nBen: It's settled.\nAnn: Good.")["decisions"]
        self.assertEqual([(item["text"], item["source"]["line"], item["context"]["line"]) for item in found], [("Plan B costs 5k.", 2, 1)])


class Actions(unittest.TestCase):
    def test_owner_and_date(self):
        cases = [
            ("Ann: I'll send the deck by Friday.\nBen: ok", [("Ann", "send the deck", "2025-06-13")]),
            ("Ann: Ben will book the room tomorrow.\nBen: ok", [("Ben", "book the room", "2025-06-12")]),
            ("Ann: Ben, can you call Acme by June 20?\nBen: Sure.", [("Ben", "call Acme", "2025-06-20")]),
            ("Ann: I'd need the logos from you, Ben — by tomorrow if possible.\nBen: Sure.", [("Ben", "give Ann the logos", "2025-06-12")]),
            ("Ann: Somebody needs to tell support.\nBen: ok", [(None, "tell support", None)]),
            ("李雷：王芳，你月底前把价格表整理出来。\n王芳：好的。", [("王芳", "把价格表整理出来", "2025-06-30")]),
            ("Ann: Can you call Acme, Ben?\nBen: Yes, by Monday.", [("Ben", "call Acme", "2025-06-16")]),
            ("Ann: Can you call Acme?\nBen: No problem, tomorrow.", [("Ben", "call Acme", "2025-06-12")]),
            ("Ann: Ben, please call Acme.\nBen: By Monday.", [("Ben", "call Acme", "2025-06-16")]),
            ("Ann: Action item: Ben to call Acme by EOW\nBen: ok", [("Ben", "call Acme", "2025-06-13")]),
            ("Ann: TODO: call Acme (Ben)\nBen: ok", [("Ben", "call Acme", None)]),
            ("Ann: Ben should book a room, and Cleo will bring cake on Friday.\nBen: ok\nCleo: ok", [("Ben", "book a room", "2025-06-13"), ("Cleo", "bring cake", "2025-06-13")]),
            ("Ann: We need to file taxes by June 30.\nBen: ok", [(None, "file taxes", "2025-06-30")]),
            ("Ann: I'll write it up.\nBen: Can you do that by Friday, Ann?\nAnn: Yes.", [("Ann", "write it up", "2025-06-13")]),
            ("张三：我来写方案，下周五之前。\n李四：好", [("张三", "写方案", "2025-06-20")]),
            ("张三：李四负责联系客户，明天完成。\n李四：好", [("李四", "联系客户，完成", "2025-06-12")]),
            ("张三：请李四月底前提交报告。\n李四：收到", [("李四", "提交报告", "2025-06-30")]),
            ("张三：那你把评价表明天发给王五吧。\n李四：好。\n王五：嗯", [("李四", "把评价表发给王五", "2025-06-12")]),
            ("张三：合同寄出去，我来办，周五之前。\n李四：好", [("张三", "合同寄出去", "2025-06-13")]),
            ("张三：待办：更新官网（李四）\n李四：好", [("李四", "更新官网", None)]),
        ]
        for text, expected in cases:
            with self.subTest(text):
                self.assertEqual(actions(text), expected)

    def test_no_tasks(self):
        for text in ["Ann: I'll be on leave next week.\nBen: ok", "Ann: I think it went well yesterday.\nBen: ok", "Ann: Can you hear me?\nBen: Yes.", "Ann: Let me share my screen.\nBen: ok",
                     "Ann: He told Ben to wait.\nBen: ok", "张三：我觉得不错。\n李四：我上周去过了。", "Ann: Ben will be late tomorrow.\nBen: ok", "张三：我已经发给李四了。\n李四：好"]:
            with self.subTest(text):
                self.assertEqual(actions(text), [])

    def test_a_declined_request_is_no_action(self):
        found = extract("Ann: Ben, could you call Acme?\nBen: Sorry, I can't.")
        self.assertEqual(found["actions"], [])
        self.assertEqual([warning["code"] for warning in found["warnings"]], ["declined"])

    def test_an_unanswered_request_stays_asked(self):
        found = extract("Ann: Ben, could you call Acme?\nAnn: Next.\nCleo: Yes.\nBen: Lunch?")
        self.assertEqual((found["actions"][0]["status"], found["warnings"][0]["code"]), ("asked", "not_confirmed"))

    def test_a_recap_is_folded_into_the_first_saying(self):
        found = extract("Ann: I'll send the pricing deck.\nBen: fine\nBen: Action item: Ann to send the pricing deck by Friday")["actions"]
        self.assertEqual([(item["source"]["line"], item["source"]["also"], item["deadline"]["date"]) for item in found], [(1, [3], "2025-06-13")])

    def test_without_a_date_nothing_is_made_up(self):
        found = extract("Ann: I'll send the deck by Friday.\nBen: ok", meeting={})
        self.assertEqual(found["actions"][0]["deadline"]["date"], None)
        self.assertEqual(found["warnings"][0]["code"], "no_meeting_date")

    def test_every_quote_stands_on_its_line(self):
        for path in (support.SKILLS / SKILL / "examples").glob("extract-*.in.json"):
            given = json.loads(path.read_text(encoding="utf-8"))
            rows = given["transcript"].split("\n")
            answer = extract(**{"text": given["transcript"], "meeting": given.get("meeting", {})})
            for item in [*answer["decisions"], *answer["actions"], *answer["open_points"]]:
                self.assertIn(item["source"]["quote"], rows[item["source"]["line"] - 1])


class Rendering(unittest.TestCase):
    def minutes(self, **action):
        base = {"id": "A1", "task": "x | y <b>", "owner": "Ann", "status": "accepted", "deadline": {"date": "2025-06-13", "text": "Friday"}, "source": {"line": 1, "time": None, "speaker": "Ann", "quote": "hi"}}
        return {"meeting": {"title": "T", "date": "2025-06-11"}, "attendees": [{"name": "Ann"}], "decisions": [], "actions": [{**base, **action}], "open_points": []}

    def problems(self, minutes, **more):
        result = support.run(RENDER, {"minutes": minutes, **more})
        answer = result.json()
        self.assertEqual(result.code, 0 if answer["ok"] else 1)
        return [problem["code"] for problem in answer["problems"]]

    def test_checks(self):
        source = {"line": 1, "time": None, "speaker": "Ann", "quote": "hi"}
        cases = [
            ({}, []), ({"owner": None}, ["owner_missing"]), ({"owner": "Zed"}, ["owner_unknown"]), ({"deadline": None}, ["deadline_missing"]),
            ({"deadline": {"date": "2025-06-10", "text": "x"}}, ["deadline_passed"]), ({"deadline": {"date": "2025-06-31", "text": "x"}}, ["deadline_wrong"]),
            ({"source": {**source, "line": 9}}, ["no_such_line"]), ({"source": {**source, "quote": "hello"}}, ["not_in_transcript"]),
        ]
        for action, codes in cases:
            with self.subTest(action):
                self.assertEqual(self.problems(self.minutes(**action), transcript="Ann: hi there"), codes)

    def test_foreign_text_cannot_break_the_table(self):
        result = support.run(RENDER, {"minutes": self.minutes(task="a | b\n<script>*x*")})
        self.assertIn(r"A \| b \<script\>\*x\*", result.json()["markdown"])

    def test_a_wrong_meeting_date_is_refused(self):
        minutes = self.minutes()
        minutes["meeting"]["date"] = "2025-02-30"
        self.assertIn("no calendar day", support.run(RENDER, {"minutes": minutes}).err)

    def test_files_on_the_command_line(self):
        with tempfile.TemporaryDirectory() as folder:
            source, drafted, written = (Path(folder) / name for name in ("meeting.txt", "draft.json", "minutes.md"))
            source.write_text("Ann: I'll send the deck by Friday.\nBen: ok\n", encoding="utf-8")
            result = support.run(EXTRACT, None, "--transcript", str(source), "--date", "2025-06-11", "--title", "Sync", "--output", str(drafted))
            self.assertEqual((result.code, result.out), (0, ""), result.err)
            given = {"minutes": json.loads(drafted.read_text(encoding="utf-8")), "transcript": source.read_text(encoding="utf-8")}
            result = support.run(RENDER, given, "--markdown", str(written))
            self.assertEqual(result.code, 0, result.out)
            self.assertIn("| A1 | Send the deck | Ann | 2025-06-13 | line 1 |", written.read_text(encoding="utf-8"))


class Speed(unittest.TestCase):
    def test_long_and_odd_lines_take_seconds_at_most(self):
        started = time.monotonic()
        for row in ["a " * 50_000, "我" * 50_000, "Ann: " * 20_000, "1:02 " * 20_000, "next " * 20_000, "(" * 50_000, "Friday " * 5_000, "，" * 50_000]:
            extract(f"Ann: hi\nBen: yo\n{row}")
        self.assertLess(time.monotonic() - started, 60)

    def test_a_day_long_transcript(self):
        rows = [f"[{number // 60:02d}:{number % 60:02d}:00] {'Ann' if number % 2 else 'Ben'}: I'll send report {number} by Friday, then we look at it again." for number in range(600)]
        self.assertEqual(len(extract("\n".join(rows))["actions"]), 600)


if __name__ == "__main__":
    unittest.main()
