"""docs/cli.md is what the commands say of themselves."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_of_the_command_line_is_what_the_commands_say() -> None:
    words = [sys.executable, str(ROOT / "scripts" / "cli_page.py")]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    hint = "write it anew: python scripts/cli_page.py > docs/cli.md"
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == said, hint
    assert said.count("\n## brane") == 12
