"""JSON in, JSON out: how this skill's scripts read, check, answer and refuse.

The same file lies in every Kontor starter skill, so that each folder works alone; a test holds the copies equal.
Standard library only, Python 3.9 or newer.

Exit codes: 0 done, 1 done and something failed its checks, 2 wrong command line, 3 input refused, 4 another program failed.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional

DONE, FAILED_CHECKS, USAGE, REFUSED, PROGRAM_FAILED = 0, 1, 2, 3, 4
INPUT_LIMIT = 16 * 1024 * 1024
PROBLEM_LIMIT = 20
SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"


class Problem(NamedTuple):
    """One thing that is wrong, and where."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class Refused(Exception):
    """The input cannot be worked on; carries every problem found."""

    def __init__(self, *problems: Problem):
        super().__init__("; ".join(map(str, problems)))
        self.problems = list(problems)


class ProgramFailed(Exception):
    """Another program that this script called did not do its part."""


class Verb(NamedTuple):
    """One thing a script can do: a function from a checked input to an answer."""

    work: Callable[[Any, argparse.Namespace], Any]
    help: str
    schema: str
    arguments: Optional[Callable[[argparse.ArgumentParser], None]] = None
    failed: Callable[[Any], bool] = lambda answer: False
    plain: Optional[Callable[[argparse.Namespace], Any]] = None


def refuse(where: str, what: str) -> Refused:
    """A refusal with one problem; the caller raises it."""
    return Refused(Problem(where, what))


# --- reading -----------------------------------------------------------------------------------------------------


def read_text(path: Optional[str], where: str = "input") -> str:
    """The text of a file, or of standard input for `-` and None: UTF-8, bounded, a byte order mark dropped."""
    try:
        if path in (None, "-"):
            data = sys.stdin.buffer.read(INPUT_LIMIT + 1)
        else:
            with open(path, "rb") as file:
                data = file.read(INPUT_LIMIT + 1)
    except OSError as error:
        raise refuse(where, f"cannot read `{path}`: {error.strerror or error}") from error
    if len(data) > INPUT_LIMIT:
        raise refuse(where, f"larger than {INPUT_LIMIT // 1024 // 1024} MiB; split it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(where, f"not UTF-8 (byte {error.start}); save it as UTF-8 and try again") from error


def parse_json(text: str) -> Any:
    """A JSON value; decimals stay exact, repeated keys and NaN are refused."""
    if not text.strip():
        raise refuse("input", "empty; give JSON on standard input or with --input FILE")
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_no_repeats)
    except json.JSONDecodeError as error:
        raise refuse("input", f"not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from error
    except (RecursionError, ValueError) as error:
        raise refuse("input", f"not usable JSON: {str(error) or 'nested too deep'}") from error


def _no_constant(name: str) -> Any:
    raise refuse("input", f"{name} is not a JSON number")


def _no_repeats(pairs: List[tuple]) -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise refuse("input", f"the key `{key}` appears twice in one object")
        found[key] = value
    return found


# --- checking against a schema ----------------------------------------------------------------------------------

KEYWORDS = {
    "$schema", "$id", "$defs", "$ref", "title", "description", "default", "examples", "format",
    "type", "enum", "const", "anyOf", "properties", "required", "additionalProperties", "minProperties", "maxProperties",
    "items", "minItems", "maxItems", "uniqueItems", "minLength", "maxLength", "pattern", "minimum", "maximum",
}


def load_schema(name: str) -> Dict[str, Any]:
    """A schema of this skill (JSON Schema 2020-12), by file name."""
    return json.loads((SCHEMAS / name).read_text(encoding="utf-8"))


def check(value: Any, schema: Dict[str, Any]) -> List[Problem]:
    """Every way in which `value` breaks `schema`; knows the keywords in KEYWORDS and raises on any other."""
    return _check(value, schema, schema, "input")


def _check(value: Any, rule: Any, root: Dict[str, Any], where: str) -> List[Problem]:
    if rule is True:
        return []
    if rule is False:
        return [Problem(where, "not allowed here")]
    unknown = set(rule) - KEYWORDS
    if unknown:
        raise ValueError(f"schema keywords not supported: {sorted(unknown)}")
    if "$ref" in rule:
        return _check(value, root["$defs"][rule["$ref"].rsplit("/", 1)[-1]], root, where)
    if "type" in rule and not _is_of(value, rule["type"]):
        wanted = rule["type"] if isinstance(rule["type"], str) else " or ".join(rule["type"])
        return [Problem(where, f"must be of type {wanted}")]
    found: List[Problem] = []
    if "enum" in rule and value not in rule["enum"]:
        found.append(Problem(where, f"must be one of {', '.join(map(str, rule['enum']))}"))
    if "const" in rule and value != rule["const"]:
        found.append(Problem(where, f"must be {rule['const']}"))
    if "anyOf" in rule:
        found += _check_any(value, rule["anyOf"], root, where)
    if isinstance(value, str):
        found += _check_text(value, rule, where)
    elif isinstance(value, (int, Decimal, float)) and not isinstance(value, bool):
        found += _check_number(value, rule, where)
    elif isinstance(value, list):
        found += _check_list(value, rule, root, where)
    elif isinstance(value, dict):
        found += _check_object(value, rule, root, where)
    return found


def _is_of(value: Any, types: Any) -> bool:
    names = [types] if isinstance(types, str) else types
    return any(_TYPES[name](value) for name in names)


_TYPES: Dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, Decimal, float)) and not isinstance(value, bool),
}


def _check_any(value: Any, rules: List[Any], root: Dict[str, Any], where: str) -> List[Problem]:
    tries = [_check(value, rule, root, where) for rule in rules]
    if any(not problems for problems in tries):
        return []
    nearer = [problems for problems in tries if not any(problem.where == where and "of type" in problem.what for problem in problems)]
    if nearer:
        return min(nearer, key=len)
    return [Problem(where, ", or ".join(dict.fromkeys(problem.what for problems in tries for problem in problems)))]


def _check_text(value: str, rule: Dict[str, Any], where: str) -> List[Problem]:
    found = []
    if len(value) < rule.get("minLength", 0):
        found.append(Problem(where, "must not be empty" if rule["minLength"] == 1 else f"shorter than {rule['minLength']} characters"))
    if "maxLength" in rule and len(value) > rule["maxLength"]:
        found.append(Problem(where, f"longer than {rule['maxLength']} characters"))
    if "pattern" in rule and not re.search(rule["pattern"], value):
        shown = value if len(value) <= 40 else value[:40] + "…"
        found.append(Problem(where, f"`{shown}` does not have the expected form {rule.get('description', rule['pattern'])}"))
    return found


def _check_number(value: Any, rule: Dict[str, Any], where: str) -> List[Problem]:
    found = []
    if "minimum" in rule and value < rule["minimum"]:
        found.append(Problem(where, f"must be at least {rule['minimum']}"))
    if "maximum" in rule and value > rule["maximum"]:
        found.append(Problem(where, f"must be at most {rule['maximum']}"))
    return found


def _check_list(value: List[Any], rule: Dict[str, Any], root: Dict[str, Any], where: str) -> List[Problem]:
    found = []
    if len(value) < rule.get("minItems", 0):
        found.append(Problem(where, f"needs at least {rule['minItems']} item{'s' if rule['minItems'] > 1 else ''}"))
    if "maxItems" in rule and len(value) > rule["maxItems"]:
        found.append(Problem(where, f"has more than {rule['maxItems']} items"))
    if rule.get("uniqueItems") and any(item in value[:index] for index, item in enumerate(value)):
        found.append(Problem(where, "has the same item twice"))
    if "items" in rule:
        for index, item in enumerate(value):
            found += _check(item, rule["items"], root, f"{where}[{index}]")
    return found


def _check_object(value: Dict[str, Any], rule: Dict[str, Any], root: Dict[str, Any], where: str) -> List[Problem]:
    known = rule.get("properties", {})
    found = [Problem(f"{where}.{key}", "missing") for key in rule.get("required", []) if key not in value]
    if len(value) < rule.get("minProperties", 0):
        found.append(Problem(where, "must not be empty"))
    if "maxProperties" in rule and len(value) > rule["maxProperties"]:
        found.append(Problem(where, f"has more than {rule['maxProperties']} keys"))
    for key, item in value.items():
        if key in known:
            found += _check(item, known[key], root, f"{where}.{key}")
        elif rule.get("additionalProperties", True) is False:
            found.append(Problem(f"{where}.{key}", f"unknown key; known are {', '.join(known) or 'none'}"))
        elif isinstance(rule.get("additionalProperties"), dict):
            found += _check(item, rule["additionalProperties"], root, f"{where}.{key}")
    return found


# --- answering ---------------------------------------------------------------------------------------------------


def main(description: str, verbs: Dict[str, Verb], argv: Optional[List[str]] = None) -> int:
    """Runs one verb: reads, checks, works, writes; turns refusals into messages and exit codes."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", newline="\n")
    args = _parser(description, verbs).parse_args(argv)
    verb = verbs[args.verb]
    try:
        answer = _answer(verb, args)
    except Refused as error:
        return _complain([str(problem) for problem in error.problems], REFUSED)
    except ProgramFailed as error:
        return _complain([str(error)], PROGRAM_FAILED)
    return FAILED_CHECKS if verb.failed(answer) else DONE


def _answer(verb: Verb, args: argparse.Namespace) -> Any:
    given = verb.plain(args) if verb.plain else None
    value = parse_json(read_text(args.input)) if given is None else given
    problems = check(value, load_schema(verb.schema))
    if problems:
        raise Refused(*problems)
    answer = verb.work(value, args)
    text = json.dumps(answer, ensure_ascii=False, indent=2) + "\n"
    if args.output in (None, "-"):
        sys.stdout.write(text)
    else:
        write_file(args.output, text)
    return answer


def write_file(path: str, text: str) -> None:
    """Writes a text file, or refuses saying why."""
    try:
        Path(path).write_bytes(text.encode("utf-8"))
    except OSError as error:
        raise refuse("output", f"cannot write `{path}`: {error.strerror or error}") from error


def _parser(description: str, verbs: Dict[str, Verb]) -> argparse.ArgumentParser:
    closing = (
        "Reads a JSON object from standard input or --input FILE and writes a JSON object to standard output or --output FILE. "
        "Exit codes: 0 done, 1 done and something failed its checks, 2 wrong command line, 3 input refused, 4 another program failed."
    )
    parser = argparse.ArgumentParser(description=description, epilog=closing)
    chosen = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, verb in verbs.items():
        sub = chosen.add_parser(name, help=verb.help, description=verb.help, epilog=closing)
        sub.add_argument("--input", "-i", metavar="FILE", help="JSON input (default: standard input)")
        sub.add_argument("--output", "-o", metavar="FILE", help="JSON answer (default: standard output)")
        if verb.arguments:
            verb.arguments(sub)
    return parser


def _complain(lines: List[str], code: int) -> int:
    for line in lines[:PROBLEM_LIMIT]:
        print(f"error: {line}", file=sys.stderr)
    if len(lines) > PROBLEM_LIMIT:
        print(f"error: and {len(lines) - PROBLEM_LIMIT} more", file=sys.stderr)
    return code
