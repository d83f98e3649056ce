"""Writes the table of what is supported, made of the inherited test suite, into README.md."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support import README, written

README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
