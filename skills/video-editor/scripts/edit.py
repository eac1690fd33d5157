#!/usr/bin/env python3
"""Turns an edit list in words into a checked plan for ffmpeg, and runs it when asked."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import clocks
import ffmpeg
import phrases
import timeline
import wire


class Planned:
    """A plan with everything that running it needs."""

    def __init__(self, given: Dict[str, Any], real: bool = False):
        self.lang, self.cut_means = given.get("lang", "en"), given.get("cut_means", "remove")
        self.said = phrases.read(given.get("instructions", ""), self.cut_means) + [("", edit) for edit in given.get("edits", [])]
        if not self.said:
            raise wire.refuse("input", "has no edits; give `instructions` in words or `edits`")
        self.source, self.probed = _source(given["source"], real)
        self.decisions = timeline.decide([edit for _, edit in self.said], self.source.duration)
        output = given.get("output", {})
        self.overwrite = output.get("overwrite", False)
        self.output = ffmpeg.safe_path(output.get("path", _name(self.source.path, self.decisions.form)), "input.output.path")
        if not self.output.lower().endswith(f".{self.decisions.form}"):
            raise wire.refuse("input.output.path", f"`{self.output}` does not end in .{self.decisions.form}")
        if Path(self.output) == Path(self.source.path):
            raise wire.refuse("input.output.path", "is the source itself; choose another name")

    def answer(self) -> Dict[str, Any]:
        """The plan for people and programs."""
        texts = ffmpeg.captions(self.decisions)
        return {
            "interpretation": [{"words": words or None, "means": describe(edit, self.lang), "edit": edit} for words, edit in self.said],
            "source": {**self.source._asdict(), "probed": self.probed}, "edl": timeline.as_json(self.decisions), "output": self.output,
            "duration_before": clocks.written(self.source.duration), "duration_after": clocks.written(self.decisions.duration),
            "files": [{"path": ffmpeg.CAPTIONS, "content": texts}] if texts else [],
            "ffmpeg": ffmpeg.command(self.source, self.decisions, self.output, self.overwrite),
            "warnings": [*self.decisions.notes, *self._warnings()],
        }

    def _warnings(self) -> List[Dict[str, str]]:
        found = []
        if any(edit["op"] == "cut" and phrases.is_plain_cut(words) for words, edit in self.said):
            found.append({"code": "cut_removes", "text": SAY[self.lang]["cut_removes"]})
        if ffmpeg.enlarges(self.source, self.decisions.frame):
            found.append({"code": "enlarged", "text": SAY[self.lang]["enlarged"].format(width=self.source.width, height=self.source.height)})
        if not self.source.audio and any(edit["op"] in ("mute", "volume") for _, edit in self.said):
            found.append({"code": "no_sound", "text": SAY[self.lang]["no_sound"]})
        return found


def _source(raw: Dict[str, Any], real: bool) -> Tuple[ffmpeg.Source, bool]:
    """The source from what is said of it; what is not said is asked of the file, when it is needed."""
    path = ffmpeg.safe_path(raw["path"], "input.source.path")
    probed = real or "duration" not in raw
    facts = {**ffmpeg.probe(path), **raw} if probed else dict(raw)
    duration = _length(raw["duration"]) if "duration" in raw else facts["duration"]
    if duration < timeline.SHORTEST:
        raise wire.refuse("input.source.duration", "is too short to edit")
    return ffmpeg.Source(path, duration, facts.get("width"), facts.get("height"), facts.get("audio", True)), probed


def _length(value: Any) -> int:
    return clocks.parse(value if isinstance(value, str) else f"{value}s", "input.source.duration")


def _name(path: str, form: str) -> str:
    source = Path(path)
    return str(source.with_name(f"{source.stem}-edited.{form}"))


SAY = {
    "en": {
        "cut_removes": "`cut` removes the part; write `keep`, or set cut_means to `keep`, if you meant to keep it",
        "enlarged": "the picture is enlarged from {width}×{height}; that adds no detail", "no_sound": "the source has no sound, so mute and volume do nothing",
        "cut": "remove {range}", "keep": "keep {range}", "speed": "play {range} at {factor}× speed", "mute": "mute {range}", "volume": "volume {level} for {range}",
        "fade_in": "fade in over {for}", "fade_out": "fade out over {for}", "subtitle": "show “{text}” at {at}{until}", "resize": "scale to {size}", "aspect": "{fit} to {ratio}",
        "rotate": "rotate {degrees}° clockwise", "flip": "mirror, {axis}", "fps": "{rate} frames a second", "format": "save as {name}",
        "all": "the whole video", "to": " until {to}", "for": " for {for}", "crop": "crop", "pad": "pad", "dash": " to ", "the_end": "the end", "before_end": "{length} before the end",
    },
    "zh": {
        "cut_removes": "“剪掉/cut”表示删除该段；若要保留，请写“保留”或将 cut_means 设为 keep",
        "enlarged": "画面由 {width}×{height} 放大，不会增加细节", "no_sound": "源视频没有声音，静音和音量不起作用",
        "cut": "删除 {range}", "keep": "保留 {range}", "speed": "{range} 以 {factor} 倍速播放", "mute": "{range} 静音", "volume": "{range} 音量 {level}",
        "fade_in": "淡入 {for}", "fade_out": "淡出 {for}", "subtitle": "{at} 显示“{text}”{until}", "resize": "缩放到 {size}", "aspect": "{fit}为 {ratio}",
        "rotate": "顺时针旋转 {degrees}°", "flip": "翻转（{axis}）", "fps": "每秒 {rate} 帧", "format": "保存为 {name}",
        "all": "整段", "to": "，到 {to}", "for": "，持续 {for}", "crop": "裁剪", "pad": "补边", "dash": " 到 ", "the_end": "片尾", "before_end": "片尾前 {length}",
    },
}


def describe(edit: Dict[str, Any], lang: str) -> str:
    """What an edit does, in a few plain words."""
    words = SAY[lang]
    ends = [_moment(edit.get(key, default), words) for key, default in (("from", "start"), ("to", "end"))]
    ranged = words["dash"].join(ends) if "from" in edit or "to" in edit else words["all"]
    until = words["to"].format(**edit) if "to" in edit else words["for"].format(**edit) if "for" in edit else ""
    values = {**edit, "range": ranged, "until": until, "fit": words[edit.get("fit", "crop")]}
    return words[edit["op"]].format(**values)


def _moment(text: str, words: Dict[str, str]) -> str:
    head, minus, rest = text.partition("-")
    if minus:
        return words["before_end"].format(length=rest.strip())
    return {"start": "0:00", "end": words["the_end"]}.get(head.strip(), text)


def plan(given: Dict[str, Any], _: argparse.Namespace) -> Dict[str, Any]:
    """The plan, with nothing run but ffprobe when the source's length is not given."""
    return Planned(given).answer()


def render(given: Dict[str, Any], args: argparse.Namespace) -> Dict[str, Any]:
    """The plan and the result of running it."""
    planned = Planned(given, real=True)
    result = ffmpeg.run(planned.source, planned.decisions, planned.output, planned.overwrite, args.seconds)
    return {**planned.answer(), "result": result}


def _words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--video", metavar="FILE", help="the source, instead of JSON input")
    parser.add_argument("--say", metavar="TEXT", help="the edits in words (with --video)")
    parser.add_argument("--to", metavar="FILE", help="the result's name (with --video)")
    parser.add_argument("--lang", choices=["en", "zh"], default="en", help="language of the explanations (with --video)")


def _render_words(parser: argparse.ArgumentParser) -> None:
    _words(parser)
    parser.add_argument("--seconds", type=int, default=540, help="give ffmpeg at most so long (default: 540)")


def _from_words(args: argparse.Namespace) -> Optional[Dict[str, Any]]:
    if args.video is None:
        return None
    given: Dict[str, Any] = {"source": {"path": args.video}, "instructions": args.say or "", "lang": args.lang}
    return {**given, "output": {"path": args.to}} if args.to else given


VERBS = {
    "plan": wire.Verb(plan, "check the edits and show the ffmpeg command without running it", "plan.in.json", _words, plain=_from_words),
    "render": wire.Verb(
        render, "check the edits, run ffmpeg and check the result", "plan.in.json", _render_words,
        failed=lambda answer: not answer["result"]["as_planned"], plain=_from_words),
}

if __name__ == "__main__":
    raise SystemExit(wire.main(__doc__ or "", VERBS))
