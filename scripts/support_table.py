"""Runs the inherited suite, keeps what it sees in tests/support.json, and writes docs/reference/support.md from it.

scripts/support_table            # all of it, the slow tests too: half an hour on two cores
scripts/support_table --written  # the table alone, from what was seen before
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

SUITE = "tests/test_conformance.py"

code = 0
if "--written" not in sys.argv[1:]:
    code = int(pytest.main(["-p", "no:xdist", "--record-support", SUITE]))

from tests.support import PAGE, written  # noqa: E402  # after pytest, which rewrites the assertions of tests

PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
sys.exit(code)
