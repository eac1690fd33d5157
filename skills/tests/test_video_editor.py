"""Phrases, timelines, ffmpeg arguments and real renderings of video-editor."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import tempfile
import unittest
from fractions import Fraction
from pathlib import Path

import support

SKILL = "video-editor"
PLAN, RENDER = support.tool(SKILL, "plan"), support.tool(SKILL, "render")
clocks = support.module(SKILL, "clocks")
phrases = support.module(SKILL, "phrases")
timeline = support.module(SKILL, "timeline")
FFMPEG = shutil.which("ffmpeg") and shutil.which("ffprobe")
SOURCE = {"path": "clip.mp4", "duration": "1:00", "width": 1280, "height": 720, "audio": True}


def plan(say="", **more):
    given = {"source": SOURCE, **more}
    result = support.run(PLAN, {**given, "instructions": say} if say else given)
    assert result.code == 0, result.err
    return result.json()


def refused(say="", **more):
    result = support.run(PLAN, {"source": SOURCE, "instructions": say, **more})
    assert result.code == 3 and result.out == "", result
    return result.err


def graph(answer):
    return answer["ffmpeg"][answer["ffmpeg"].index("-filter_complex") + 1]


class Clocks(unittest.TestCase):
    def test_times(self):
        cases = [("0:10", 10_000), ("1:02:03.5", 3_723_500), ("00:00:10,500", 10_500), ("90s", 90_000), ("1m30s", 90_000), ("2 min", 120_000), ("1分30秒", 90_000), ("第5秒", 5_000), ("1.25s", 1_250),
                 ("start", 0), ("开头", 0), ("end", 60_000), ("片尾", 60_000), ("end-3s", 57_000), ("500ms", 500), ("1h 2m 3s", 3_723_000), ("100:05", 6_005_000)]
        for text, milliseconds in cases:
            with self.subTest(text):
                self.assertEqual(clocks.parse(text, "x", 60_000), milliseconds)

    def test_no_times(self):
        for text in ["0:60", "1:60:00", "abc", "", "-5s", "1:2", "10:00:00:00", "end+3s", "99:59:59", "1e9s"]:
            with self.subTest(text), self.assertRaises(Exception) as caught:
                clocks.parse(text, "x", 60_000)
            self.assertEqual(type(caught.exception).__name__, "Refused")

    def test_written(self):
        self.assertEqual((clocks.written(3_723_500), clocks.written(500), clocks.decimal(10_005), clocks.srt(3_723_500)), ("1:02:03.500", "0:00.500", "10.005", "01:02:03,500"))


class Phrases(unittest.TestCase):
    def test_one_clause(self):
        cut, keep = {"op": "cut"}, {"op": "keep"}
        cases = [
            ("cut 0:10–0:25", {**cut, "from": "0:10", "to": "0:25"}), ("cut out 0:10 to 0:25", {**cut, "from": "0:10", "to": "0:25"}), ("Remove between 10s and 12s", {**cut, "from": "10s", "to": "12s"}),
            ("cut from 5 to 10 seconds", {**cut, "from": "5", "to": "10 seconds"}), ("剪掉5到10秒", {**cut, "from": "5", "to": "10秒"}),
            ("delete the first 5 seconds", {**cut, "from": "start", "to": "5 seconds"}), ("trim off the last 3s", {**cut, "from": "end-3s", "to": "end"}), ("start at 0:05", {**cut, "from": "start", "to": "0:05"}), ("end at 0:50", {**cut, "from": "0:50", "to": "end"}),
            ("keep 0:05 until 0:20", {**keep, "from": "0:05", "to": "0:20"}), ("trim to 0:05-0:20", {**keep, "from": "0:05", "to": "0:20"}), ("keep the first 10s", {**keep, "from": "start", "to": "10s"}),
            ("speed 2x", {"op": "speed", "factor": "2"}), ("speed up to 1.5x", {"op": "speed", "factor": "1.5"}), ("0.5x 0:30-0:40", {"op": "speed", "factor": "0.5", "from": "0:30", "to": "0:40"}), ("2x speed", {"op": "speed", "factor": "2"}), ("half speed from 0:01 to 0:02", {"op": "speed", "factor": "0.5", "from": "0:01", "to": "0:02"}),
            ("mute", {"op": "mute"}), ("remove audio", {"op": "mute"}), ("mute 0:10-0:12", {"op": "mute", "from": "0:10", "to": "0:12"}), ("volume 50%", {"op": "volume", "level": "50%"}), ("volume -6 dB 0:06-0:08", {"op": "volume", "level": "-6db", "from": "0:06", "to": "0:08"}),
            ("fade in 1s", {"op": "fade_in", "for": "1s"}), ("fade out over 2 seconds", {"op": "fade_out", "for": "2 seconds"}), ("2s fade out", {"op": "fade_out", "for": "2s"}), ("fade out", {"op": "fade_out", "for": "1s"}),
            ("add subtitle 'x' at 0:03", {"op": "subtitle", "text": "x", "at": "0:03"}), ('caption "a, b; c" from 0:01 to 0:04', {"op": "subtitle", "text": "a, b; c", "at": "0:01", "to": "0:04"}), ("text ‘x’ at 3s for 2s", {"op": "subtitle", "text": "x", "at": "3s", "for": "2s"}),
            ("1080p", {"op": "resize", "size": "1080p"}), ("4K", {"op": "resize", "size": "2160p"}), ("resize to 1280 x 720", {"op": "resize", "size": "1280x720"}), ("9:16", {"op": "aspect", "ratio": "9:16", "fit": "crop"}), ("pad to 1:1", {"op": "aspect", "ratio": "1:1", "fit": "pad"}), ("vertical", {"op": "aspect", "ratio": "9:16", "fit": "crop"}),
            ("rotate 90 left", {"op": "rotate", "degrees": 270}), ("rotate by 90 degrees clockwise", {"op": "rotate", "degrees": 90}), ("mirror", {"op": "flip", "axis": "horizontal"}), ("flip vertically", {"op": "flip", "axis": "vertical"}), ("30 fps", {"op": "fps", "rate": "30"}), ("export as webm", {"op": "format", "name": "webm"}),
            ("剪掉0:10到0:25", {**cut, "from": "0:10", "to": "0:25"}), ("把0:05-0:10剪掉", {**cut, "from": "0:05", "to": "0:10"}), ("去掉前5秒", {**cut, "from": "start", "to": "5秒"}), ("最后3秒删掉", {**cut, "from": "end-3秒", "to": "end"}), ("保留第5秒到1分30秒", {**keep, "from": "第5秒", "to": "1分30秒"}),
            ("2倍速", {"op": "speed", "factor": "2"}), ("从0:30到0:40放慢到0.5倍", {"op": "speed", "factor": "0.5", "from": "0:30", "to": "0:40"}), ("0:10到0:12静音", {"op": "mute", "from": "0:10", "to": "0:12"}), ("去掉声音", {"op": "mute"}), ("音量调到50%", {"op": "volume", "level": "50%"}),
            ("淡出1秒", {"op": "fade_out", "for": "1秒"}), ("在0:03加字幕“你好，世界”", {"op": "subtitle", "text": "你好，世界", "at": "0:03"}), ("字幕「完」在0:50显示2秒", {"op": "subtitle", "text": "完", "at": "0:50", "for": "2秒"}), ("竖屏", {"op": "aspect", "ratio": "9:16", "fit": "crop"}), ("加黑边为16:9", {"op": "aspect", "ratio": "16:9", "fit": "pad"}),
            ("逆时针旋转90度", {"op": "rotate", "degrees": 270}), ("镜像", {"op": "flip", "axis": "horizontal"}), ("30帧", {"op": "fps", "rate": "30"}), ("导出为mp4", {"op": "format", "name": "mp4"}),
        ]
        for text, edit in cases:
            with self.subTest(text):
                self.assertEqual([found for _, found in phrases.read(text)], [edit])

    def test_several_clauses(self):
        cases = [
            ("cut 0:10-0:20, 0:40-0:50 and then mirror", ["cut", "cut", "flip"]), ("keep 0:01-0:02 and 0:03-0:04", ["keep", "keep"]), ("Please mute 0:01-0:02. Then 1080p and fade out 1s.", ["mute", "resize", "fade_out"]),
            ("fade in and out 2s", ["fade_in", "fade_out"]), ("剪掉0:10到0:25，2倍速，然后镜像；1080p", ["cut", "speed", "flip", "resize"]), ("subtitle 'it's on, really' at 0:03\n720p", ["subtitle", "resize"]), ("淡入淡出1秒", ["fade_in", "fade_out"]),
            ("subtitle 'a' at 0:03, for 2s, mute", ["subtitle", "mute"]),
            ("speed it up 2x, slow it down to half speed 0:01-0:02; rotate left", ["speed", "speed", "rotate"]), ("add the title 'Hi' at the start for 2s", ["subtitle"]), ("cut everything after 0:05 and add a 1 second fade out", ["cut", "fade_out"]),
            ("前两秒不要，裁成1:1，加快到1.5倍，声音调小一半", ["cut", "aspect", "speed", "volume"]), ("开头5秒剪掉，结尾三秒也剪掉", ["cut", "cut"]), ("make it a square, mute it, then export it as webm", ["aspect", "mute", "format"]),
        ]
        for text, ops in cases:
            with self.subTest(text):
                self.assertEqual([found["op"] for _, found in phrases.read(text)], ops)

    def test_what_is_not_understood_is_named(self):
        errors = refused("cut 0:10-0:20, make it pop, add music, 1080p")
        self.assertIn("`make it pop` is not understood", errors)
        self.assertIn("`add music` is not understood", errors)
        self.assertNotIn("1080p` is not", errors)

    def test_cut_can_mean_keep(self):
        self.assertEqual(plan("cut 0:10-0:20", cut_means="keep")["duration_after"], "0:10.000")
        self.assertEqual(plan("cut out 0:10-0:20", cut_means="keep")["duration_after"], "0:50.000")
        self.assertEqual(plan("remove the last 3s", cut_means="keep")["duration_after"], "0:57.000")

    def test_odd_texts_finish_quickly(self):
        for text in ["0:10" * 2000, "cut " * 2000, "'" * 5000, "“" * 5000, "0:10-" * 1500, "and " * 2000, "1" * 9000, "从" * 5000, "5s " * 2500]:
            result = support.run(PLAN, {"source": SOURCE, "instructions": text[:10000]})
            self.assertEqual(result.code, 3)


class Timelines(unittest.TestCase):
    def test_lengths(self):
        cases = [
            ("cut 0:10-0:25", 45_000), ("keep 0:10-0:25", 15_000), ("speed 2x", 30_000), ("0.5x 0:10-0:20", 70_000), ("speed 2x, 0.5x 0:10-0:20", 45_000), ("cut 0:00-0:10, cut 0:50-1:00", 40_000), ("cut 0:10-0:30, cut 0:20-0:40", 30_000),
            ("keep 0:10-0:40, cut 0:20-0:30", 20_000), ("keep 0:30-0:40 and 0:10-0:15", 15_000), ("remove the first 5s, remove the last 5s", 50_000), ("speed 3x", 20_000), ("start at 0:05, end at 0:50", 45_000), ("cut 0:10-0:20, 4x 0:15-0:30", 42_500),
        ]
        for say, length in cases:
            with self.subTest(say):
                self.assertEqual(plan(say)["edl"]["duration"], length)

    def test_refusals(self):
        cases = [
            ("cut 0:50-1:10", "reaches 1:10, outside the source of 1:00.000"), ("cut 0:30-0:20", "ends (0:20.000) before it starts"), ("cut 0:00-1:00", "nothing is left"), ("keep 0:10-0:20 and 0:15-0:25", "two keep edits overlap"), ("0.5x 0:10-0:20, 2x 0:15-0:30", "two speed edits overlap"),
            ("cut 0:10-0:20, mute 0:12-0:14", "lies in a part that is cut"), ("cut 0:10-0:20, subtitle 'x' at 0:15", "0:15 of the source is cut"), ("subtitle 'x' at 1:05", "outside the source"), ("subtitle 'x' at 0:05, subtitle 'y' at 0:06", "“x” and “y” overlap"), ("speed 2x, speed 3x", "two different speed edits"),
            ("keep 0:00-0:02, fade in 2s, fade out 1s", "overlap"), ("keep 0:00-0:02, fade in 3s", "longer than the result"), ("speed 20x", "outside 0.1 to 16"), ("volume 500%", "no volume"), ("1080p, 720p", "resize is given twice"), ("1:99", "outside 1:4 to 4:1"), ("8p", "not understood"), ("5000p", "outside 16 to 4320"),
        ]
        for say, part in cases:
            with self.subTest(say):
                self.assertIn(part, refused(say))

    def test_subtitles_move_with_cuts_and_speed(self):
        cases = [("subtitle 'x' at 0:30", 30_000, 33_000), ("cut 0:10-0:20, subtitle 'x' at 0:30", 20_000, 23_000), ("speed 2x, subtitle 'x' at 0:30 for 1s", 15_000, 16_000), ("0.5x 0:10-0:20, subtitle 'x' from 0:12 to 0:15", 14_000, 20_000),
                 ("cut 0:20-0:30, subtitle 'x' from 0:18 to 0:20", 18_000, 20_000), ("subtitle 'x' at 0:59", 59_000, 60_000), ("cut 0:20-0:30, subtitle 'x' from 0:18 to 0:32", 18_000, 22_000)]
        for say, start, end in cases:
            with self.subTest(say):
                found = plan(say)["edl"]["subtitles"][0]
                self.assertEqual((found["start"], found["end"]), (start, end))

    def test_random_edits_keep_the_sums(self):
        chance = random.Random(5)
        for _ in range(200):
            marks = sorted(chance.sample(range(1, 600), 8))
            cut, speed = marks[:4], marks[4:]
            edits = [{"op": "cut", "from": f"{cut[0] / 10}s", "to": f"{cut[1] / 10}s"}, {"op": "cut", "from": f"{cut[2] / 10}s", "to": f"{cut[3] / 10}s"},
                     {"op": "speed", "factor": "2", "from": f"{speed[0] / 10}s", "to": f"{speed[1] / 10}s"}, {"op": "mute", "from": f"{speed[2] / 10}s", "to": f"{speed[3] / 10}s"}]
            found = timeline.decide(edits, 60_000)
            removed = (cut[1] - cut[0] + cut[3] - cut[2]) * 100
            self.assertEqual(sum(item.end - item.start for item in found.segments), 60_000 - removed)
            exact = 60_000 - removed - Fraction((speed[1] - speed[0]) * 100, 2)
            self.assertLessEqual(abs(found.duration - exact), 1)
            self.assertTrue(all(one.end <= other.start for one, other in zip(found.segments, found.segments[1:])))
            moments = [timeline.mapped(moment, found.segments) for moment in range(0, 60_000, 500)]
            placed = [moment for moment in moments if moment is not None]
            self.assertEqual(placed, sorted(placed))

    def test_too_many_pieces_are_refused(self):
        edits = [{"op": "mute", "from": f"{index * 2}s", "to": f"{index * 2 + 1}s"} for index in range(1, 200)]
        edits += [{"op": "volume", "level": "50%", "from": f"{index * 2}.3s", "to": f"{index * 2}.6s"} for index in range(1, 60)]
        with self.assertRaises(Exception) as caught:
            timeline.decide(edits, 600_000)
        self.assertIn("at most 400 can be joined", str(caught.exception))


class Arguments(unittest.TestCase):
    def test_texts_never_reach_the_command(self):
        text = "$(touch /tmp/x); {\\an8}<b>big</b> --> ':[v0]"
        answer = plan(edits=[{"op": "subtitle", "text": text, "at": "0:01"}])
        self.assertNotIn("touch", " ".join(answer["ffmpeg"]))
        content = answer["files"][0]["content"]
        self.assertIn("$(touch /tmp/x); (/an8)‹b›big‹/b› → ':[v0]", content)
        self.assertEqual(content.count("-->"), 1)

    def test_the_graph_has_only_known_words(self):
        answer = plan("cut 0:10-0:20, 0.3x 0:30-0:40, volume 50%, mute 0:45-0:46, crop to 9:16, 1080p, rotate 90, mirror, 30 fps, subtitle 'x' at 0:05, fade in and out 1s")
        words = set(re.findall(r"[a-z_]{3,}", graph(answer)))
        self.assertLessEqual(words, {"trim", "atrim", "start", "end", "setpts", "asetpts", "atempo", "volume", "concat", "vjoined", "ajoined", "vout", "aout", "transpose", "hflip", "scale", "crop", "force_original_aspect_ratio", "increase",
                                     "force_divisible_by", "setsar", "fps", "subtitles", "captions", "srt", "force_style", "ontsize", "utline", "argin", "fade", "afade", "out"})

    def test_tempo_steps(self):
        for factor, steps in [("0.1", "atempo=0.5,atempo=0.5,atempo=0.5,atempo=0.8"), ("3", "atempo=2,atempo=1.5"), ("16", "atempo=2,atempo=2,atempo=2,atempo=2"), ("1.25", "atempo=1.25")]:
            with self.subTest(factor):
                self.assertIn(f",{steps}[a0]", graph(plan(edits=[{"op": "speed", "factor": factor}])))

    def test_paths(self):
        for path in ["http://a/b.mp4", "concat:a|b", "pipe:0", "/dev/video0", "a\nb.mp4", "ftp://x"]:
            with self.subTest(path):
                self.assertIn("input.source.path", refused("mirror", source={**SOURCE, "path": path}))
        answer = plan("mirror", source={**SOURCE, "path": "-y.mp4"})
        self.assertIn("file:-y.mp4", answer["ffmpeg"])
        self.assertIn("-n", answer["ffmpeg"])
        self.assertIn("is the source itself", refused("mirror", output={"path": "./clip.mp4"}))
        self.assertIn("does not end in .webm", refused("mirror, export as webm", output={"path": "x.mp4"}))
        self.assertEqual(plan("mirror", source={**SOURCE, "path": "some folder/旅行.mov"})["output"], "some folder/旅行-edited.mp4")

    def test_silent_sources_have_no_sound_in_the_graph(self):
        answer = plan("cut 0:10-0:20, volume 50%", source={**SOURCE, "audio": False})
        self.assertNotIn("[0:a]", graph(answer))
        self.assertIn("-an", answer["ffmpeg"])
        self.assertIn("no_sound", [warning["code"] for warning in answer["warnings"]])

    def test_sizes(self):
        cases = [("1080p", {}, "scale=-2:1080"), ("720p", {"width": 720, "height": 1280}, "scale=720:-2"), ("720p, rotate 90", {}, "scale=720:-2"), ("1080p, 9:16", {}, "crop=1080:1920"), ("720p, pad to 1:1", {}, "pad=720:720"), ("resize to 641x481", {}, "crop=640:480"), ("1:1", {}, "crop=w="), ("pad to 16:9", {}, "pad=w=")]
        for say, source, part in cases:
            with self.subTest(say):
                self.assertIn(part, graph(plan(say, source={**SOURCE, **source})))

    def test_enlarging_is_warned_of(self):
        for say, warned in [("1080p", True), ("720p", False), ("9:16, 720p", True), ("9:16, 360p", False)]:
            with self.subTest(say):
                self.assertEqual("enlarged" in [warning["code"] for warning in plan(say)["warnings"]], warned)


@unittest.skipUnless(FFMPEG, "SKIPPED: ffmpeg is not installed, so nothing is rendered")
class Rendering(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.clip, cls.silent = Path(cls.folder.name) / "my clip.mp4", Path(cls.folder.name) / "silent.mp4"
        picture = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=10:duration=6"]
        sound = ["-f", "lavfi", "-i", "sine=duration=6"]
        front = ["ffmpeg", "-v", "error", "-y"]
        subprocess.run([*front, *picture, *sound, "-preset", "ultrafast", str(cls.clip)], check=True, timeout=120)
        subprocess.run([*front, *picture, "-preset", "ultrafast", str(cls.silent)], check=True, timeout=120)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def render(self, say, source=None, name="out.mp4", **more):
        target = Path(self.folder.name) / name
        given = {"source": {"path": str(source or self.clip)}, "instructions": say, "output": {"path": str(target), "overwrite": True}, **more}
        return support.run(RENDER, given, cwd=Path(self.folder.name))

    def test_what_is_planned_comes_out(self):
        cases = [
            ("cut 0:01-0:02, 2x 0:03-0:05, subtitle 'Hi, 你好' at 0:00 for 1s, fade in and out 0.5s", None, "a.mp4", {"width": 160, "height": 90, "audio": True}), ("keep 0:01-0:03, crop to 1:1, rotate 90, mute 0:02-0:03, 5x 0:01-0:02" , None, "b.mp4", {"width": 90, "height": 90}),
            ("0.4x 0:01-0:02, resize to 64x128, 15 fps", self.silent, "c.mp4", {"width": 64, "height": 128, "audio": False}), ("keep 0:00-0:02, pad to 9:16, export as webm", None, "d.webm", {"width": 160}), ("keep 0:00-0:01, export as gif, mirror", None, "e.gif", {"audio": False}),
        ]
        for say, source, name, facts in cases:
            with self.subTest(say):
                result = self.render(say, source, name)
                self.assertEqual(result.code, 0, result.err)
                answer = result.json()
                self.assertTrue(answer["result"]["as_planned"], answer["result"])
                self.assertEqual({key: answer["result"][key] for key in facts}, facts)
                schema = json.loads((support.SKILLS / SKILL / RENDER.output).read_text(encoding="utf-8"))
                self.assertEqual(support.module(SKILL, "wire").check(answer, schema), [])

    def test_the_shown_command_works_as_it_is(self):
        target = Path(self.folder.name) / "by-hand.mp4"
        answer = support.run(PLAN, {"source": {"path": str(self.clip)}, "instructions": "cut 0:01-0:02, subtitle 'a' at 0:03", "output": {"path": str(target)}}).json()
        for file in answer["files"]:
            (Path(self.folder.name) / file["path"]).write_text(file["content"], encoding="utf-8")
        subprocess.run(answer["ffmpeg"], cwd=self.folder.name, check=True, timeout=120)
        self.assertTrue(target.is_file())

    def test_what_exists_is_kept(self):
        target = Path(self.folder.name) / "kept.mp4"
        target.write_text("precious", encoding="utf-8")
        result = support.run(RENDER, {"source": {"path": str(self.clip)}, "instructions": "mirror", "output": {"path": str(target)}})
        self.assertEqual((result.code, target.read_text(encoding="utf-8")), (3, "precious"))
        self.assertIn("exists; choose another name", result.err)

    def test_what_is_no_video_is_refused(self):
        text = Path(self.folder.name) / "text.mp4"
        text.write_text("hello", encoding="utf-8")
        for path, part in [(text, "cannot read"), (Path(self.folder.name) / "missing.mp4", "there is no file")]:
            result = self.render("mirror", path)
            self.assertEqual(result.code, 3)
            self.assertIn(part, result.err)

    def test_a_link_to_the_source_is_not_overwritten(self):
        link = Path(self.folder.name) / "link.mp4"
        link.symlink_to(self.clip)
        before = self.clip.stat().st_size
        result = self.render("mirror", self.clip, "link.mp4")
        self.assertEqual((result.code, self.clip.stat().st_size), (3, before))
        self.assertIn("is the source itself", result.err)

    def test_words_on_the_command_line(self):
        result = support.run(RENDER, None, "--video", str(self.clip), "--say", "keep 0:01-0:02", "--to", str(Path(self.folder.name) / "words.mp4"), "--lang", "zh")
        self.assertEqual(result.code, 0, result.err)
        self.assertIn("保留", result.out)

    def test_a_job_that_takes_too_long_is_stopped_and_leaves_nothing(self):
        result = support.run(RENDER, {"source": {"path": str(self.clip)}, "instructions": "0.1x, 4k", "output": {"path": str(Path(self.folder.name) / "slow.mp4")}}, "--seconds", "1")
        self.assertEqual(result.code, 4)
        self.assertIn("did not finish within 1 s", result.err)
        self.assertFalse((Path(self.folder.name) / "slow.mp4").exists())


class WithoutFfmpeg(unittest.TestCase):
    def test_rendering_says_what_is_missing(self):
        ffmpeg = support.module(SKILL, "ffmpeg")
        found, ffmpeg.shutil.which = ffmpeg.shutil.which, lambda name: None
        try:
            with self.assertRaises(Exception) as caught:
                ffmpeg.run(ffmpeg.Source("a.mp4", 1000, None, None, False), None, "b.mp4", False, 5)
            self.assertIn("ffmpeg is not installed", str(caught.exception))
            with self.assertRaises(Exception) as caught:
                ffmpeg.probe("a.mp4")
            self.assertIn("ffprobe is not installed", str(caught.exception))
        finally:
            ffmpeg.shutil.which = found


if __name__ == "__main__":
    unittest.main()
