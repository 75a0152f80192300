"""Unit tests share the strategies for types and values with the tests that call a real component."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
