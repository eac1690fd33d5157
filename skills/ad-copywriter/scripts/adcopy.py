#!/usr/bin/env python3
"""Drafts ad copy from a brief and checks variants against each platform's limits, the brief's facts and forbidden claims."""

from __future__ import annotations

import wire
from drafting import draft
from review import check

VERBS = {
    "check": wire.Verb(lambda given, _: check(given), "check variants", "check.in.json", failed=lambda answer: not answer["ok"]),
    "draft": wire.Verb(lambda given, _: draft(given), "draft first variants from the brief's own words", "draft.in.json", failed=lambda answer: not answer["ok"]),
}

if __name__ == "__main__":
    raise SystemExit(wire.main(__doc__ or "", VERBS))
