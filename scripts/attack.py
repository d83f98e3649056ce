"""Damaged and hostile inputs of all kinds: no traceback, no hang, no crash, whatever is handed over.

Each input is made from the seed and its number, so any of them can be made again, and handed to hlsflow in a process of
its own, with limits of time and memory. Prints how many ended how: an exit code, a class of error, or one of what must
not be: a traceback, a hang, a crash. Exits with 1 where there is any of these.

    scripts/attack                                   # some of every kind
    scripts/attack --kind reports --count 2000       # many of one
    scripts/attack --kind reports --only 17          # one of them again, with its traceback
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import os
import random
import resource
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from attacks import KINDS

from hlsflow.core.errors import FlowError

FEW = ("models", "environments")
"""Kinds that take seconds each: a twentieth of the others' number."""

MEMORY = 8 * 2**30
CHUNK = 200
"""Inputs of one process; a new one begins clean."""

BAD = ("traceback", "hang", "crash")


@dataclass(frozen=True)
class Outcome:
    """How one input ended; `detail` tells what must not be."""

    number: int
    name: str
    detail: str = ""

    @property
    def bad(self) -> bool:
        return self.name in BAD


def attempt(kind: str, seed: int, number: int) -> Outcome:
    """Make the input of that number and hand it over."""
    rng = random.Random(f"{kind} {seed} {number}")
    with tempfile.TemporaryDirectory(prefix="attack") as folder:
        try:
            act = KINDS[kind](rng, Path(folder))
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                done = act()
        except FlowError as error:
            return Outcome(number, type(error).__name__)
        except SystemExit as end:
            return Outcome(number, f"exit {end.code}")
        except Exception:
            return Outcome(number, "traceback", traceback.format_exc())
        finally:
            os.chdir("/")
    return Outcome(number, f"exit {done}" if isinstance(done, int) else "taken")


def work(kind: str, seed: int, numbers: list[int], pipe: Connection) -> None:
    """A process of its own: all numbers, one after the other."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    for number in numbers:
        pipe.send(attempt(kind, seed, number))


def outcomes(kind: str, seed: int, numbers: list[int], limit: float) -> Iterator[Outcome]:
    """How each input ended; one that hangs or ends its process is left behind, and the next ones get a new process."""
    context = multiprocessing.get_context("fork")
    while numbers:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=work, args=(kind, seed, numbers[:CHUNK], theirs))
        process.start()
        theirs.close()
        done = list(_until_it_ends(ours, len(numbers[:CHUNK]), limit))
        yield from done
        numbers = numbers[len(done) :]
        if len(done) < min(CHUNK, len(done) + len(numbers)):
            process.join(1)  # one that has just ended is still there for a moment
            yield Outcome(numbers[0], "hang" if process.is_alive() else "crash")
            numbers = numbers[1:]
        process.kill()
        process.join()


def _until_it_ends(pipe: Connection, count: int, limit: float) -> Iterator[Outcome]:
    with contextlib.suppress(EOFError):
        while count and pipe.poll(limit):
            yield pipe.recv()
            count -= 1


def told(kind: str, found: list[Outcome]) -> str:
    """A line with the counts, and how each bad one can be made again."""
    counts = Counter(one.name for one in found)
    parts = ", ".join(f"{name} {count}" for name, count in counts.most_common())
    lines = [f"{kind}: {len(found)} inputs: {parts}"]
    for one in (one for one in found if one.bad):
        lines.append(f"  {one.name}: --kind {kind} --only {one.number}\n{one.detail}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--count", type=int, default=500, help="of each kind (of models and environments a 20th)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, metavar="NUMBER", help="make this one again")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds after which an input counts as hanging")
    options = parser.parse_args()
    bad = 0
    for kind in options.kind:
        count = max(1, options.count // 20) if kind in FEW and len(options.kind) > 1 else options.count
        numbers = list(range(count)) if options.only is None else [options.only]
        found = list(outcomes(kind, options.seed, numbers, options.limit))
        print(told(kind, found), flush=True)
        bad += sum(one.bad for one in found)
    print(f"{bad} of these are faults")
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
