"""Writes the golden figures of tests/rtl/golden.py into tests/rtl/golden.json, and prints what has changed."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.rtl import golden

before = json.loads(golden.FILE.read_text(encoding="utf-8")) if golden.FILE.exists() else {"networks": {}}
with tempfile.TemporaryDirectory() as folder:
    golden.FILE.write_text(golden.written(Path(folder)), encoding="utf-8")
after = json.loads(golden.FILE.read_text(encoding="utf-8"))
print(f"figures of {after['tool']}, before of {before.get('tool', 'none')}")
for name, figures in after["networks"].items():
    old = before["networks"].get(name, {})
    changes = [f"{key} {old.get(key, 'missing')} -> {value}" for key, value in figures.items() if old.get(key) != value]
    print(f"{name}: {', '.join(changes) or 'as before'}")
