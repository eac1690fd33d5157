#!/usr/bin/env python3
"""Turns a meeting transcript into minutes: decisions, actions with owner and date, open points, each with its source line."""

from __future__ import annotations

import argparse
from typing import Any, Dict, Optional

import extract
import render
import wire


def _extract_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--transcript", metavar="FILE", help="a transcript as text, VTT or SRT, instead of JSON input")
    parser.add_argument("--date", metavar="YYYY-MM-DD", help="the meeting's day (with --transcript)")
    parser.add_argument("--title", help="the meeting's title (with --transcript)")
    parser.add_argument("--lang", choices=["en", "zh"], help="language of the minutes (with --transcript)")


def _from_files(args: argparse.Namespace) -> Optional[Dict[str, Any]]:
    if args.transcript is None:
        return None
    meeting = {key: value for key, value in (("date", args.date), ("title", args.title)) if value}
    given: Dict[str, Any] = {"transcript": wire.read_text(args.transcript, "--transcript"), "meeting": meeting}
    if args.lang:
        given["lang"] = args.lang
    return given


def _render_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--markdown", metavar="FILE", help="write the Markdown to this file as well")


def _render(given: Dict[str, Any], args: argparse.Namespace) -> Dict[str, Any]:
    answer = render.render(given)
    if args.markdown:
        wire.write_file(args.markdown, answer["markdown"])
    return answer


VERBS = {
    "extract": wire.Verb(
        lambda given, _: extract.extract(given), "draft minutes from a transcript", "extract.in.json", _extract_arguments, plain=_from_files),
    "render": wire.Verb(
        _render, "check minutes against the transcript and write them as Markdown", "render.in.json", _render_arguments, failed=lambda answer: not answer["ok"]),
}

if __name__ == "__main__":
    raise SystemExit(wire.main(__doc__ or "", VERBS))
