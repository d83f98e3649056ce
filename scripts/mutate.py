"""How many small faults in the modules that decide about bits and figures the tests notice.

In: `mutate.toml`, which says for each module the tests that answer for it, and which faults are none, with the reason.
Out: a table of modules, the survivors as pairs of lines, and the share of faults that were killed. Each fault is put
into a copy of the tree, never into the checkout. Exit code 1 below the share that is asked for.

    scripts/mutate                                    # 10 faults of each module
    scripts/mutate --count 0 ir/fixed.py              # all faults of one
    scripts/mutate --seed 3 --count 5 --jobs 2
"""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import importlib
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.util import cache_from_source
from multiprocessing.util import Finalize
from pathlib import Path

from mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path("flows") / "hlsflow"
CONFIG = Path(__file__).with_suffix(".toml")
COPIED = ("flows", "templates", "tests", "scripts", "projects", "docs", "pyproject.toml", "README.md")
PRELOADED = (
    "numpy",
    "numpy.testing",
    "pytest",
    "_pytest.assertion.rewrite",
    "hypothesis.core",
    "pydantic",
    "scipy.sparse",
)
"""Imported once, before each run of tests is forked; nothing of hlsflow, and nothing that starts threads."""

LOG = "pytest.log"
"""What the tests said last, in the copy."""


@dataclass(frozen=True)
class Module:
    """A module, relative to the package, and the arguments of pytest that run its tests."""

    path: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Equivalent:
    """A change that no test can see, or that is as good as what was there.

    Attributes:
        module: its path.
        was, now: the lines, as a survivor is shown; `now` may be `*`, for any fault in these lines.
        reason: why that is so.
    """

    module: str
    was: str
    now: str
    reason: str

    def means(self, mutant: Mutant) -> bool:
        return (mutant.module, mutant.was) == (self.module, self.was) and self.now in (mutant.now, "*")


@dataclass(frozen=True)
class Tried:
    """What became of a fault: `killed`, `timeout` (killed too) or `survived`, and how many seconds it took."""

    mutant: Mutant
    outcome: str
    seconds: float


def main() -> int:
    options = _options()
    config = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    modules = _chosen(config["modules"], options.modules)
    equivalent = [Equivalent(**entry) for entry in config.get("equivalent", [])]
    for name in PRELOADED:
        importlib.import_module(name)
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(options.jobs, context, _prepare, (options.seed,)) as pool:
        limits = {module.path: limit for module, limit in pool.map(_untouched, modules)}
        work = [
            (mutant, module.tests, limits[module.path])
            for module in modules
            for mutant in _sampled(module, equivalent, options)
        ]
        print(f"{len(work)} faults, seed {options.seed}", flush=True)
        tried = list(_told(pool.map(_try, work)))
    return _report(modules, tried, options.wanted)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", help="paths below flows/hlsflow/, with * for anything; all by default")
    parser.add_argument("--seed", type=int, default=0, help="of the sample, and of the tests (0)")
    parser.add_argument("--count", type=int, default=10, help="faults of each module (10); 0: all")
    parser.add_argument("--jobs", type=int, default=1, help="faults tried at once (1)")
    parser.add_argument("--wanted", type=float, default=0.95, help="least share of faults that must be killed (0.95)")
    return parser.parse_args()


def _chosen(table: dict[str, list[str]], names: Sequence[str]) -> list[Module]:
    modules = [Module(path, tuple(tests)) for path, tests in table.items()]
    chosen = [module for module in modules if not names or any(fnmatch.fnmatch(module.path, name) for name in names)]
    if not chosen:
        sys.exit(f"{CONFIG.name} has no module {', '.join(names)}; it has {', '.join(table)}")
    return chosen


def _sampled(module: Module, equivalent: Sequence[Equivalent], options: argparse.Namespace) -> list[Mutant]:
    """Some of a module's faults, without those that are none."""
    text = (ROOT / PACKAGE / module.path).read_text(encoding="utf-8")
    found = [each for each in mutants(module.path, text) if not any(one.means(each) for one in equivalent)]
    count = min(options.count or len(found), len(found))
    return random.Random(f"{options.seed} {module.path}").sample(found, count)


_COPY = Path()
_SEED = 0


def _prepare(seed: int) -> None:
    """Make the copy of the tree that this worker works in; it goes when the process does."""
    global _COPY, _SEED
    _COPY, _SEED = Path(tempfile.mkdtemp(prefix="mutate-")), seed
    Finalize(None, shutil.rmtree, [_COPY], {"ignore_errors": True}, exitpriority=1)
    for name in COPIED:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, _COPY / name)


def _untouched(module: Module) -> tuple[Module, float]:
    """The tests of a module must pass as it is; returns how long they may take with a fault in it."""
    started = time.monotonic()
    code = _tested(module.tests, 900)
    if code:
        log = (_COPY / LOG).read_text(encoding="utf-8")[-3000:]
        raise RuntimeError(f"the tests of {module.path} do not pass without any fault ({code}):\n{log}")
    seconds = time.monotonic() - started
    print(f"{module.path}: its tests take {seconds:.1f} s", flush=True)
    return module, 30 + 5 * seconds


def _try(work: tuple[Mutant, tuple[str, ...], float]) -> Tried:
    mutant, tests, limit = work
    with _fault(mutant):
        started = time.monotonic()
        code = _tested(tests, limit)
        seconds = time.monotonic() - started
    return Tried(mutant, {0: "survived", None: "timeout"}.get(code, "killed"), seconds)


@contextlib.contextmanager
def _fault(mutant: Mutant) -> Iterator[None]:
    place = _COPY / PACKAGE / mutant.module
    before = place.read_text(encoding="utf-8")
    try:
        _write(place, mutant.text)
        yield
    finally:
        _write(place, before)


def _write(module: Path, text: str) -> None:
    """Without the compiled form of another text, which Python would take when both are of one second and size."""
    module.write_text(text, encoding="utf-8")
    Path(cache_from_source(str(module))).unlink(missing_ok=True)


def _tested(tests: Sequence[str], limit: float) -> int | None:
    """What pytest ends with in the copy; None beyond the limit of seconds."""
    child = os.fork()
    if child == 0:
        _run(tests)
    end = time.monotonic() + limit
    while time.monotonic() < end:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _run(tests: Sequence[str]) -> None:
    """In a process of its own: the tests, with the copy of the package before any other."""
    import pytest

    os.setsid()
    os.chdir(_COPY)
    paths = [str(_COPY / "flows"), str(_COPY)]
    sys.path[:0] = paths
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    for descriptor in (1, 2):
        os.dup2(os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    fast = ("-x", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-m", "not slow", f"--hypothesis-seed={_SEED}")
    try:
        os._exit(int(pytest.main([*fast, *tests])))
    finally:
        os._exit(3)


def _told(tried: Iterator[Tried]) -> Iterator[Tried]:
    """Each fault that survived is shown at once."""
    for number, each in enumerate(tried, 1):
        mutant = each.mutant
        if each.outcome == "survived":
            print(f"\n{PACKAGE / mutant.module}:{mutant.line} {mutant.function}\n- {mutant.was}\n+ {mutant.now}")
        elif sys.stderr.isatty():
            print(f"\r{number}", end="", file=sys.stderr)
        sys.stdout.flush()
        yield each


def _report(modules: Sequence[Module], tried: Sequence[Tried], wanted: float) -> int:
    rows = [(module.path, [each for each in tried if each.mutant.module == module.path]) for module in modules]
    print(
        "\n| module | faults | killed | of these by time | survived | share | s each |\n|---|---|---|---|---|---|---|"
    )
    for name, mine in [*rows, ("all", list(tried))]:
        killed, late = (sum(each.outcome in kinds for each in mine) for kinds in (("killed", "timeout"), ("timeout",)))
        seconds = sum(each.seconds for each in mine) / max(len(mine), 1)
        share = f"{killed / len(mine):.3f}" if mine else "none"
        print(f"| {name} | {len(mine)} | {killed} | {late} | {len(mine) - killed} | {share} | {seconds:.1f} |")
    killed = sum(each.outcome != "survived" for each in tried)
    return int(killed < wanted * len(tried))


if __name__ == "__main__":
    sys.exit(main())
