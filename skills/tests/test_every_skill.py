"""What holds for every starter skill: form, schemas, examples, evals, manners of the command line."""

from __future__ import annotations

import ast
import json
import re
import sys
import unittest
from pathlib import Path
from typing import Any, Iterator, List, Tuple

import support

wire = support.module("shopping-advisor", "wire")
ALLOWED_KEYS = {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}
MADE_BY_A_PROGRAM = {("video-editor", "render")}  # its answer depends on ffmpeg; test_video_editor makes a clip and renders it
STANDARD = getattr(sys, "stdlib_module_names", None)


def each_skill() -> Iterator[Tuple[str, Path]]:
    for name in support.skill_names():
        yield name, support.SKILLS / name


def each_tool() -> Iterator[support.Tool]:
    for name in support.skill_names():
        yield from support.tools(name)


def examples(tool: support.Tool) -> List[Path]:
    return sorted((support.SKILLS / tool.skill / "examples").glob(f"{tool.name}-*.in.json"))


def schema(tool: support.Tool, path: str) -> Any:
    return json.loads((support.SKILLS / tool.skill / path).read_text(encoding="utf-8"))


class Form(unittest.TestCase):
    def test_the_tests_are_no_skill(self):
        self.assertNotIn("tests", support.skill_names())

    def test_front_matter_has_only_keys_of_the_open_format(self):
        for name, _ in each_skill():
            with self.subTest(name):
                keys = support.front_matter(name)
                self.assertLessEqual(set(keys), ALLOWED_KEYS)
                self.assertEqual(keys["name"], name)
                self.assertRegex(name, r"^[a-z0-9]+(-[a-z0-9]+)*$")
                self.assertTrue(100 <= len(keys["description"]) <= 1024)
                self.assertIn(" Use when ", keys["description"])
                self.assertRegex(keys["metadata"]["description-zh"], "[\u4e00-\u9fff]{10}")
                self.assertLessEqual(len(keys["compatibility"]), 500)

    def test_the_body_is_short_and_its_links_lead_somewhere(self):
        for name, folder in each_skill():
            with self.subTest(name):
                body = (folder / "SKILL.md").read_text(encoding="utf-8")
                self.assertLess(body.count("\n"), 500)
                links = re.findall(r"\]\(([^)#]+)\)", body)
                self.assertIn("references/zh.md", links)
                for link in links:
                    self.assertTrue((folder / link).is_file(), link)
                for path in re.findall(r"`((?:scripts|schemas|references|examples)/[\w./-]+)`", body):
                    self.assertTrue((folder / path).exists(), path)

    def test_the_manifest_names_files_that_exist(self):
        for tool in each_tool():
            with self.subTest(tool.skill, tool=tool.name):
                folder = support.SKILLS / tool.skill
                self.assertEqual(tool.command[0], "python3")
                self.assertTrue((folder / tool.command[1]).is_file())
                for path in (tool.input, tool.output):
                    self.assertTrue((folder / path).is_file())

    def test_files_are_small_and_plain(self):
        for name, folder in each_skill():
            for path in folder.rglob("*"):
                if path.is_file() and "__pycache__" not in path.parts:
                    data = path.read_bytes()
                    self.assertNotIn(b"\r", data, path)
                    if path.suffix == ".py":
                        self.assertLess(data.count(b"\n"), 500, path)


class Scripts(unittest.TestCase):
    def test_the_wire_module_is_the_same_everywhere(self):
        copies = {path.read_bytes() for path in support.SKILLS.glob("*/scripts/wire.py")}
        self.assertEqual(len(copies), 1)
        self.assertEqual(len(list(support.SKILLS.glob("*/scripts/wire.py"))), len(support.skill_names()))

    def test_they_need_nothing_but_the_standard_library_of_python_3_9(self):
        for path in support.SKILLS.glob("*/scripts/*.py"):
            with self.subTest(str(path)):
                tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
                own = {other.stem for other in path.parent.glob("*.py")}
                for node in ast.walk(tree):
                    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                    names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
                    for found in names:
                        top = found.split(".")[0]
                        self.assertTrue(top in own or STANDARD is None or top in STANDARD, top)

    def test_help_says_how_to_call_and_the_exit_codes(self):
        for tool in each_tool():
            with self.subTest(tool.skill, tool=tool.name):
                result = support.run(tool, None, "--help")
                self.assertEqual(result.code, 0)
                self.assertIn("--input", result.out)
                self.assertIn("Exit codes", result.out)

    def test_a_wrong_command_line_exits_2(self):
        for tool in each_tool():
            with self.subTest(tool.skill, tool=tool.name):
                self.assertEqual(support.run(tool, {}, "--no-such-flag").code, 2)

    def test_bad_input_is_refused_with_its_place(self):
        cases = [
            ("", "empty"), ("{", "not JSON"), ("[]", "must be of type object"), ('{"a": NaN}', "not a JSON number"),
            ('{"a": 1, "a": 2}', "twice"), ("[" * 200_000, "JSON"), ('{"no_such_key": 1}', "unknown key"), ("\ud800", "UTF-8"),
        ]
        for tool in each_tool():
            for text, part in cases:
                with self.subTest(tool.skill, tool=tool.name, text=text[:20]):
                    result = support.run(tool, text=text)
                    self.assertEqual((result.code, result.out), (3, ""))
                    self.assertTrue(result.err.startswith("error: input"), result.err[:200])
                    self.assertIn(part, result.err)
                    self.assertNotIn("Traceback", result.err)

    def test_a_file_that_is_not_there_is_refused(self):
        for tool in each_tool():
            with self.subTest(tool.skill, tool=tool.name):
                result = support.run(tool, None, "--input", "no/such/file.json")
                self.assertEqual(result.code, 3)
                self.assertIn("cannot read", result.err)


class Schemas(unittest.TestCase):
    def test_every_schema_is_draft_2020_12_and_within_what_the_scripts_check(self):
        for tool in each_tool():
            for path in (tool.input, tool.output):
                with self.subTest(tool.skill, path=path):
                    rule = schema(tool, path)
                    self.assertEqual(rule["$schema"], "https://json-schema.org/draft/2020-12/schema")
                    self.assertEqual(rule["type"], "object")
                    self.assertIs(rule["additionalProperties"], False)
                    self.walk(rule, rule)

    def walk(self, rule: Any, root: Any) -> None:
        if isinstance(rule, bool):
            return
        self.assertLessEqual(set(rule), wire.KEYWORDS)
        if "$ref" in rule:
            self.assertIn(rule["$ref"].rsplit("/", 1)[-1], root["$defs"])
        for inner in [*rule.get("properties", {}).values(), *rule.get("$defs", {}).values(), *rule.get("anyOf", [])]:
            self.walk(inner, root)
        for key in ("items", "additionalProperties"):
            if key in rule:
                self.walk(rule[key], root)

    def test_a_full_validator_agrees_on_the_examples(self):
        try:
            from jsonschema import Draft202012Validator
        except ImportError:
            self.skipTest("SKIPPED: jsonschema is not installed; the scripts' own checker is used alone")
        for tool in each_tool():
            for path in examples(tool):
                with self.subTest(tool.skill, example=path.name):
                    for file, rule in ((path, tool.input), (path.with_name(path.name.replace(".in.", ".out.")), tool.output)):
                        Draft202012Validator(schema(tool, rule)).validate(json.loads(file.read_text(encoding="utf-8")))


class Examples(unittest.TestCase):
    def test_every_tool_has_two_or_more(self):
        for tool in each_tool():
            with self.subTest(tool.skill, tool=tool.name):
                if (tool.skill, tool.name) not in MADE_BY_A_PROGRAM:
                    self.assertGreaterEqual(len(examples(tool)), 2)

    def test_they_give_exactly_the_expected_answer(self):
        for tool in each_tool():
            for path in examples(tool):
                with self.subTest(tool.skill, example=path.name):
                    result = support.run(tool, text=path.read_text(encoding="utf-8"))
                    self.assertIn(result.code, (0, 1), result.err)
                    expected = path.with_name(path.name.replace(".in.", ".out.")).read_text(encoding="utf-8")
                    self.assertEqual(result.out, expected)
                    self.assertEqual(wire.check(result.json(), schema(tool, tool.output)), [])

    def test_the_json_in_the_instructions_works(self):
        for name, folder in each_skill():
            for block in re.findall(r"```json\n(.*?)```", (folder / "SKILL.md").read_text(encoding="utf-8"), re.S):
                with self.subTest(name):
                    codes = [support.run(tool, text=block).code for tool in support.tools(name)]
                    self.assertIn(True, [code in (0, 1) for code in codes], block)


class Evals(unittest.TestCase):
    def test_they_have_the_common_form(self):
        for name, folder in each_skill():
            with self.subTest(name):
                suite = json.loads((folder / "evals/evals.json").read_text(encoding="utf-8"))
                self.assertEqual(set(suite), {"skill_name", "evals"})
                self.assertEqual(suite["skill_name"], name)
                self.assertGreaterEqual(len(suite["evals"]), 8)
                self.assertEqual([case["id"] for case in suite["evals"]], list(range(1, len(suite["evals"]) + 1)))
                for case in suite["evals"]:
                    self.assertEqual(set(case), {"id", "prompt", "expected_output", "files", "expectations"})
                    self.assertGreaterEqual(len(case["expectations"]), 3)
                    for path in case["files"]:
                        self.assertTrue((folder / path).is_file(), path)

    def test_facts_between_backticks_are_what_the_tool_says(self):
        for name, folder in each_skill():
            suite = json.loads((folder / "evals/evals.json").read_text(encoding="utf-8"))
            for case in suite["evals"]:
                outputs = [path.replace(".in.json", ".out.json") for path in case["files"] if path.endswith(".in.json")]
                if not outputs:
                    continue
                told = "\n".join((folder / path).read_text(encoding="utf-8") for path in outputs)
                for expectation in case["expectations"]:
                    for fact in support.quoted(expectation):
                        with self.subTest(name, case=case["id"], fact=fact):
                            self.assertIn(fact, told)

    def test_triggers_have_both_kinds(self):
        for name, folder in each_skill():
            with self.subTest(name):
                cases = json.loads((folder / "evals/triggers.json").read_text(encoding="utf-8"))
                self.assertTrue(all(set(case) == {"query", "should_trigger"} for case in cases))
                for kind in (True, False):
                    self.assertGreaterEqual(sum(case["should_trigger"] is kind for case in cases), 4)


if __name__ == "__main__":
    unittest.main()
