"""One version everywhere, and a changelog that cannot be left behind."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: What is not released yet has this version, and no section but "Unreleased".
FIRST = "0.1.0"
HEADING = re.compile(r"^## \[([^\]]+)\](.*)$", re.MULTILINE)
DATE = re.compile(r" - \d{4}-\d\d-\d\d")


def faults(changelog: str, version: str) -> list[str]:
    """What is wrong with a changelog beside `version`; nothing where it is right (Keep a Changelog 1.1.0)."""
    headings = [(found[1], found[2]) for found in HEADING.finditer(changelog)]
    names = [name for name, _ in headings]
    released = [name for name in names if name != "Unreleased"]
    order = [tuple(int(number) for number in name.split(".")) for name in [version, *released]]
    newest = released[0] if released else ""
    checks = {
        "there is no section": bool(names),
        "a section is there twice": len(set(names)) == len(names),
        "unreleased changes are not on top": "Unreleased" not in names[1:],
        "versions do not descend": order[1:] == sorted(order[1:], reverse=True),
        "a released version has no date": all(DATE.fullmatch(rest) for name, rest in headings if name != "Unreleased"),
        f"{version} has no section": newest == version or names[:1] == ["Unreleased"],
        f"{version} is older than its changelog": order[0] >= max(order),
        f"{version} follows a version without a section": bool(released) or version == FIRST,
    }
    return [fault for fault, right in checks.items() if not right]


UNRELEASED = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n"
RELEASED = "# Changelog\n\n## [0.2.0] - 2026-01-02\n\n## [0.1.0] - 2026-01-01\n"
BOTH = RELEASED.replace("## [0.2.0]", "## [Unreleased]\n\n## [0.2.0]")


@pytest.mark.parametrize(
    ("changelog", "version"), [(UNRELEASED, "0.1.0"), (RELEASED, "0.2.0"), (BOTH, "0.2.0"), (BOTH, "0.3.0")]
)
def test_a_changelog_that_fits_has_no_fault(changelog: str, version: str) -> None:
    assert faults(changelog, version) == []


@pytest.mark.parametrize(
    ("changelog", "version"),
    [
        (UNRELEASED, "0.2.0"),
        (UNRELEASED.replace("[Unreleased]", "[0.0.9] - 2026-01-01"), "0.1.0"),
        (UNRELEASED.replace("## [Unreleased]", "## Unreleased"), "0.1.0"),
        (RELEASED, "0.1.0"),
        (RELEASED, "0.3.0"),
        (RELEASED.replace("0.1.0", "0.2.0"), "0.2.0"),
        (RELEASED.replace(" - 2026-01-02", ""), "0.2.0"),
        (BOTH, "0.1.0"),
        (RELEASED + "\n## [Unreleased]\n", "0.2.0"),
        (RELEASED.replace("0.1.0", "0.4.0"), "0.2.0"),
        ("", "0.1.0"),
    ],
)
def test_a_changelog_that_was_left_behind_has_a_fault(changelog: str, version: str) -> None:
    assert faults(changelog, version)


def test_the_changelog_of_today_does_not_fit_another_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert faults(text, "0.0.1")
    assert faults(text.replace("## [", "## ("), FIRST)


def test_one_version_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    cargo = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    locked = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    # Packages without a source are those of this workspace.
    ours = {package["version"] for package in locked if "source" not in package}
    assert {cargo, *ours} == {version}
    assert faults((ROOT / "CHANGELOG.md").read_text(), version) == []
