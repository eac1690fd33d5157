"""Asks the reference validator about many folders: one path a line in, `accept` or the reason a line out."""

import sys
import warnings
from pathlib import Path

from skills_ref.validator import validate

warnings.simplefilter("ignore")
for line in sys.stdin:
    try:
        errors = validate(Path(line.rstrip("\n")))
        verdict = "accept" if not errors else "refuse: " + "; ".join(errors)
    except BaseException as error:  # the validator itself fails on some inputs; its command then fails too
        verdict = f"refuse: {type(error).__name__}: {error}"
    print(verdict.replace("\n", " ")[:300].encode("ascii", "replace").decode(), flush=True)
