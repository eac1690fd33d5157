"""How the tests reach the starter skills: as commands, as modules, and by their manifests."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Dict, List, NamedTuple, Optional

SKILLS = Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True


class Tool(NamedTuple):
    """A `[[tool]]` of a skill's kontor.toml."""

    skill: str
    name: str
    description: str
    command: List[str]
    input: str
    output: str


class Result(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


def skill_names() -> List[str]:
    """The folders that are skills."""
    return sorted(path.parent.name for path in SKILLS.glob("*/SKILL.md"))


def tools(skill: str) -> List[Tool]:
    """The typed entry points, read with the few lines of TOML that these manifests use."""
    found, fields = [], None
    for line in (SKILLS / skill / "kontor.toml").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            if fields:
                found.append(Tool(skill, **fields))
            fields = {} if line == "[[tool]]" else None
        elif fields is not None and "=" in line:
            key, value = (part.strip() for part in line.split("=", 1))
            fields[key] = json.loads(value)
    if fields:
        found.append(Tool(skill, **fields))
    return found


def tool(skill: str, name: str) -> Tool:
    """One entry point by name."""
    return next(tool for tool in tools(skill) if tool.name == name)


def run(tool: Tool, value: Any = None, *arguments: str, text: Optional[str] = None, cwd: Optional[Path] = None) -> Result:
    """Runs an entry point as the platform does: in the skill's folder, JSON on standard input."""
    given = text if text is not None else "" if value is None else json.dumps(value, ensure_ascii=False)
    command = [sys.executable if part == "python3" else part for part in tool.command]
    if cwd is not None:
        command = [str(SKILLS / tool.skill / part) if part.startswith("scripts/") else part for part in command]
    done = subprocess.run(
        [*command, *arguments], input=given.encode("utf-8", "surrogatepass"), capture_output=True, timeout=120,
        cwd=cwd or SKILLS / tool.skill, env={"PYTHONDONTWRITEBYTECODE": "1", "PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"},
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def module(skill: str, name: str) -> ModuleType:
    """A module of a skill's scripts, apart from modules of the same name in other skills."""
    scripts = SKILLS / skill / "scripts"
    own = {path.stem for path in scripts.glob("*.py")}
    for other in own:
        sys.modules.pop(other, None)
    sys.path.insert(0, str(scripts))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(scripts))
        for other in own:
            sys.modules.pop(other, None)


def front_matter(skill: str) -> Dict[str, Any]:
    """The keys of SKILL.md: top-level texts, and one level of nested texts."""
    text = (SKILLS / skill / "SKILL.md").read_text(encoding="utf-8")
    found: Dict[str, Any] = {}
    parent = ""
    for line in text.split("---", 2)[1].strip().splitlines():
        key, value = (part.strip() for part in line.split(":", 1))
        if line.startswith("  "):
            found[parent][key] = value
        elif value:
            found[key] = value
        else:
            parent, found[key] = key, {}
    return found


def quoted(text: str) -> List[str]:
    """The parts of an expectation between backticks."""
    return re.findall(r"`([^`]+)`", text)
