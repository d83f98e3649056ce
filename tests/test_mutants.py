"""Faults that `scripts/mutate` puts into a module: each kind, and nothing that is the same or no Python."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest
from scripts.mutants import mutants

HEAD = "def f(a, b, c):\n    "


def changes(line: str) -> list[str]:
    """What a statement of a function becomes."""
    return [mutant.now for mutant in mutants("m.py", f"{HEAD}{line}\n")]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("return a < b", ["return (a <= b)"]),
        ("return a >= b", ["return (a > b)"]),
        ("return a < b == c", ["return (a <= b == c)", "return (a < b != c)"]),
        ("return a not in b", ["return (a in b)"]),
        ("return a is None", ["return (a is not None)"]),
        ("return a + b", ["return (a - b)"]),
        ("return (a - b) * c", ["return ((a - b) // c)", "return ((a + b)) * c"]),
        ("return a << b", ["return (a >> b)"]),
        ("return a // b", ["return (-(-a // b))"]),
        ("return -(-a // b)", ["return (-a // b)", "return (a // b)", "return -((-(--a // b)))", "return -(a // b)"]),
        ("return 7", ["return 8", "return 6"]),
        ("return 0", ["return 1", "return (-1)"]),
        ("return 0.5", ["return 1.0"]),
        ("return True", ["return False"]),
        ("return min(a, b)", ["return max(a, b)"]),
        ("return a.max()", ["return a.min()"]),
        ("return math.ceil(a)", ["return math.floor(a)"]),
        ("return np.minimum(a, b)", ["return np.maximum(a, b)"]),
        ("return all(a)", ["return any(a)"]),
        ("return abs(a)", ["return a"]),
        ("return not a", ["return a"]),
        ("return a and b", ["return (a or b)", "return b", "return a"]),
        ("return b if a else c", ["return b if (not a) else c"]),
        ("return f(a, key=b)", ["return f(a)"]),
        ("a.clear()", ["pass"]),
        ("a += b", ["pass"]),
        ("return zip(a, b, strict=True)", []),
        ("return a.astype(b, copy=False)", []),
        ("return np.add(a, b, out=c)", []),
        ("return np.add(a, b, out=c[1])", ["return np.add(a, b, out=c[2])", "return np.add(a, b, out=c[0])"]),
        ("np.add(a, b, out=c)", ["pass"]),
        ("return a.reshape(b, -1)", ["return a.reshape(b, 1)"]),
        ("return a[-1]", ["return a[1]", "return a[-2]", "return a[-0]"]),
        ("return 'text'", []),
        ("return a(b)", []),
        ("raise ValueError(a + 1)", []),
        ("return f'{a + 1:{b - 1}}'", []),
    ],
)
def test_each_kind_of_fault(line: str, wanted: list[str]) -> None:
    assert sorted(changes(line)) == sorted(wanted)


MODULE = '''"""Ein Modul mit „Zeichen“ außerhalb von ASCII."""
import sys
LIMIT: "1 + 1" = 3
"""Of what 1 is."""


class Thing:
    def size(self, n: int = 2) -> "2 * 2":
        """Half of n + 1."""
        ä = n + 1; return (ä
            - LIMIT)


def other(x):
    if x > LIMIT:
        return 1
'''


def test_places_functions_and_lines() -> None:
    found = [(mutant.line, mutant.function, mutant.was, mutant.now) for mutant in mutants("m.py", MODULE)]
    assert found == [
        (3, "", 'LIMIT: "1 + 1" = 3', 'LIMIT: "1 + 1" = 4'),
        (3, "", 'LIMIT: "1 + 1" = 3', 'LIMIT: "1 + 1" = 2'),
        (8, "size", 'def size(self, n: int = 2) -> "2 * 2":', 'def size(self, n: int = 3) -> "2 * 2":'),
        (8, "size", 'def size(self, n: int = 2) -> "2 * 2":', 'def size(self, n: int = 1) -> "2 * 2":'),
        (10, "size", "ä = n + 1; return (ä", "ä = (n - 1); return (ä"),
        (10, "size", "ä = n + 1; return (ä", "ä = n + 2; return (ä"),
        (10, "size", "ä = n + 1; return (ä", "ä = n + 0; return (ä"),
        (10, "size", "ä = n + 1; return (ä - LIMIT)", "ä = n + 1; return ((ä + LIMIT))"),
        (15, "other", "if x > LIMIT:", "if (not x > LIMIT):"),
        (15, "other", "if x > LIMIT:", "if (x >= LIMIT):"),
        (16, "other", "return 1", "return 2"),
        (16, "other", "return 1", "return 0"),
    ]


def test_every_mutant_is_another_program() -> None:
    found = [ast.dump(ast.parse(mutant.text)) for mutant in mutants("m.py", MODULE)]
    assert len(set(found)) == len(found)
    assert ast.dump(ast.parse(MODULE)) not in found


def test_the_table_of_modules_and_of_faults_that_are_none_fits_the_source() -> None:
    root = Path(__file__).parents[1]
    config = tomllib.loads((root / "scripts" / "mutate.toml").read_text(encoding="utf-8"))
    for module, tests in config["modules"].items():
        assert (root / "flows" / "hlsflow" / module).is_file()
        assert [name for name in tests if name.startswith("tests/") and not (root / name).exists()] == []
    found = set()
    for module in {one["module"] for one in config["equivalent"]}:
        text = (root / "flows" / "hlsflow" / module).read_text(encoding="utf-8")
        found |= {(module, each.was, now) for each in mutants(module, text) for now in (each.now, "*")}
    assert [one for one in config["equivalent"] if (one["module"], one["was"], one["now"]) not in found] == []
    assert all(len(one["reason"]) > 20 for one in config["equivalent"])
