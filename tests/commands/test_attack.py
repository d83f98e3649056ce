"""The campaign of `scripts/attack`: nothing that is handed to hlsflow ends in a traceback, a hang or a crash."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "attack.py"
QUICK = ("project", "samples", "reports", "baselines", "commands")


def attack(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=1500, check=False)


def require_clean(done: subprocess.CompletedProcess[str], kinds: tuple[str, ...]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout.splitlines()
    assert [line.split(":")[0] for line in told[:-1]] == list(kinds)
    assert told[-1] == "0 of these are faults"


def test_some_of_every_quick_kind() -> None:
    require_clean(attack("--count", "25", "--seed", "1", "--kind", *QUICK), QUICK)


def scripted(body: str) -> subprocess.CompletedProcess[str]:
    """A Python of its own that knows the campaign's modules."""
    head = f"import sys; sys.path.insert(0, {str(SCRIPT.parent)!r})\nimport attack, attacks\n"
    return subprocess.run([sys.executable, "-c", head + body], capture_output=True, text=True, timeout=200, check=False)


def test_the_same_seed_makes_the_same_inputs() -> None:
    done = scripted(
        "first, again, other = (list(attack.outcomes('baselines', seed, list(range(12)), 60)) for seed in (2, 2, 3))\n"
        "assert first == again != other"
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("act", "told", "code"),
    [
        ("1 / 0", "traceback 2", 1),
        ("__import__('time').sleep(60)", "hang 2", 1),
        ("__import__('os').abort()", "crash 2", 1),
        ("5", "exit 5 2", 0),
    ],
)
def test_what_must_not_be_is_seen(act: str, told: str, code: int) -> None:
    done = scripted(
        f"attacks.KINDS['project'] = lambda rng, folder: lambda: {act}\n"
        "found = list(attack.outcomes('project', 4, [0, 1], 3.0))\n"
        "print(attack.told('project', found)); sys.exit(any(one.bad for one in found))"
    )
    assert done.stdout.splitlines()[0] == f"project: 2 inputs: {told}"
    assert done.returncode == code


@pytest.mark.slow
@pytest.mark.timeout(1600)
def test_many_of_every_kind() -> None:
    require_clean(attack("--count", "400", "--seed", "5"), (*QUICK, "models", "environments"))
