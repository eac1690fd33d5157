"""Holds bills of materials against the strict schema of CycloneDX 1.6, and their package URLs against the reference parser.

Usage: check_sbom.py FILE...; says `ok` for each, or what is wrong.
"""

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL


def faults(text: str) -> list[str]:
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if error is not None:
        return [str(error)[:2000]]
    bill = json.loads(text)
    found = []
    components = [bill["metadata"]["component"], *bill["components"]]
    names = [component["bom-ref"] for component in components]
    if len(set(names)) != len(names):
        found.append("two components have one bom-ref")
    for component in components:
        written = component.get("purl")
        if written and PackageURL.from_string(written).to_string() != written:
            found.append(f"{written} is not how a package URL is written: {PackageURL.from_string(written).to_string()}")
    for dependency in bill["dependencies"]:
        for name in [dependency["ref"], *dependency["dependsOn"]]:
            if name not in names:
                found.append(f"{name} is no component")
    return found


failed = False
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        wrong = faults(file.read())
    failed = failed or bool(wrong)
    print(path, "; ".join(wrong) or "ok")
sys.exit(1 if failed else 0)
