"""Measurements of parts, kept on disk for all projects of a machine: no part is synthesized twice.

In: a synthesis plan's key, which names everything that decides its figures. Out: `Measurement`.
One small JSON file for each, written at once and sealed with a digest of its content. A claim (a lock) lets any number
of processes share the folder. No Verilog is kept: what a network computes cannot be read from the cache.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout

from hlsflow.core.caches import cache_folder
from hlsflow.core.errors import DataError
from hlsflow.core.store import code, digest, write_text
from hlsflow.toolchains import yosys
from hlsflow.toolchains.process import make_folder, storage_error
from hlsflow.toolchains.yosys import SynthPlan

VARIABLE = "HLSFLOW_CACHE"
"""The environment variable that names another folder."""

FORMAT = 1
FIGURES = tuple(field.name for field in dataclasses.fields(yosys.Cost))
SOURCES = ("toolchains/yosys.py", "core/metrics.py", "explore/worker.py")
"""Our own code that makes figures of what Yosys says."""

KEY = re.compile(r"[0-9a-f]{64}")
LOCK_DIGITS = 3
"""Keys with the same first digits share a lock, so that the number of lock files is bounded; waiting for a stranger is
rare and does no harm, as nobody holds two."""


@dataclass(frozen=True)
class Measurement:
    """What one part costs.

    Attributes:
        key: of the plan, see `key_of`.
        part: a name for people: that of the part for which it was measured first.
        tool: name and version of the program.
        code: digest of our own code that read the figures.
        family: the device family.
        area: lut, ff, dsp and bram; what counts is in `hlsflow.toolchains.yosys.FAMILIES`.
        seconds: that the synthesis took.
        size: of the Verilog, bytes.
        date: when it was measured, UTC, ISO 8601.
    """

    key: str
    part: str
    tool: str
    code: str
    family: str
    area: Mapping[str, int]
    seconds: float
    size: int
    date: str

    def to_json(self) -> dict[str, object]:
        """Plain JSON types, with the seal."""
        fields = {"format": FORMAT, **dataclasses.asdict(self)}
        return {**fields, "seal": digest(fields)}

    @classmethod
    def from_json(cls, data: object) -> Measurement:
        """Inverse of `to_json`; raises ValueError when anything is missing, foreign or changed."""
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise ValueError("it is no measurement of hlsflow")
        fields = {name: value for name, value in data.items() if name != "seal"}
        if data.get("seal") != digest(fields):
            raise ValueError("its content does not match its seal")
        del fields["format"]
        try:
            return _checked(cls(**fields))
        except TypeError as error:
            raise ValueError(f"its fields are not those of a measurement: {error}") from error


def _checked(measurement: Measurement) -> Measurement:
    if not KEY.fullmatch(measurement.key) or measurement.family not in yosys.FAMILIES:
        raise ValueError(f"key '{measurement.key}' or family '{measurement.family}' is unknown")
    if set(measurement.area) != set(FIGURES) or any(
        type(value) is not int or value < 0 for value in measurement.area.values()
    ):
        raise ValueError(f"its figures are not {', '.join(FIGURES)}")
    datetime.fromisoformat(measurement.date)
    return measurement


def now() -> str:
    """The time for `Measurement.date`."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def own_code() -> str:
    """Digest of our own code that makes figures of what Yosys says."""
    return code(*SOURCES)


def key_of(plan: SynthPlan) -> str:
    """The key (64 hexadecimal digits) of a plan's measurement with the installed Yosys and this hlsflow."""
    return digest({"plan": plan.digest(yosys.find()), "code": own_code()})


def default_root() -> Path:
    """The folder that `HLSFLOW_CACHE` names, or `measurements` in hlsflow's part of the user's cache folder."""
    return Path(os.environ.get(VARIABLE) or cache_folder() / "measurements")


class Cache:
    """The measurements in one folder.

    Args:
        root: the folder; made when missing.
        say: where to report damage.
    Raises:
        StorageError: the folder cannot be made or read.
    """

    def __init__(self, root: Path, say: Callable[[str], None]) -> None:
        self.root, self._say = root.absolute(), say
        for folder in (self._entries, self._locks):
            make_folder(folder)
        self.identity = self._identify()

    @property
    def _entries(self) -> Path:
        return self.root / "entries"

    @property
    def _locks(self) -> Path:
        return self.root / "locks"

    @property
    def logs(self) -> Path:
        """Where the logs of failed syntheses are kept."""
        return self.root / "failed"

    def _identify(self) -> str:
        """A random name of the folder, by which another machine knows that it sees the same one."""
        file = identity_file(self.root)
        if not file.exists():
            with self._lock("identity", wait=True):
                if not file.exists():
                    write_text(file, uuid.uuid4().hex)
        return file.read_text(encoding="utf-8")

    def get(self, key: str) -> Measurement | None:
        """The measurement of that key; a damaged file is reported, deleted and counts as none."""
        file = self._file(key)
        try:
            return read(file)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_error(file, error) from error
        except ValueError as error:
            self._say(f"{file} is damaged ({error}): this part is measured again")
            file.unlink(missing_ok=True)
            return None

    def put(self, measurement: Measurement) -> None:
        """Keep a measurement; raises StorageError."""
        make_folder(self._file(measurement.key).parent)
        write_text(self._file(measurement.key), json.dumps(measurement.to_json()) + "\n")

    @contextmanager
    def claim(self, key: str, wait: bool) -> Iterator[bool]:
        """Be the only one who measures that key.

        Args:
            key: of the measurement.
            wait: until whoever has it is done, instead of giving up at once.
        Yields:
            whether the claim was got. The system takes it back however this process ends.
        """
        with self._lock(key[:LOCK_DIGITS], wait) as got:
            yield got

    @contextmanager
    def _lock(self, name: str, wait: bool) -> Iterator[bool]:
        lock = FileLock(self._locks / f"{name}.lock", thread_local=False)
        try:
            lock.acquire(timeout=-1 if wait else 0)
        except Timeout:
            yield False
            return
        except OSError as error:
            raise storage_error(self._locks, error) from error
        try:
            yield True
        finally:
            lock.release()

    def keep_log(self, key: str, text: str) -> Path:
        """Keep the log of a failed synthesis; returns its file."""
        make_folder(self.logs)
        file = self.logs / f"{key[:16]}.log"
        write_text(file, text)
        return file

    def __iter__(self) -> Iterator[Measurement]:
        """All undamaged measurements, in order of their keys; damaged ones are reported and deleted."""
        for file in sorted(self._entries.glob("*/*.json")):
            measurement = self.get(file.stem)
            if measurement is not None:
                yield measurement

    def prune(self, unwanted: Callable[[Measurement], bool]) -> list[Measurement]:
        """Delete the measurements that are unwanted, and all logs of failures; returns what was deleted."""
        gone = [measurement for measurement in self if unwanted(measurement)]
        for file in [self._file(measurement.key) for measurement in gone] + list(self.logs.glob("*.log")):
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                raise storage_error(file, error) from error
        return gone

    def _file(self, key: str) -> Path:
        return self._entries / key[:2] / f"{key}.json"

    def size(self) -> int:
        """Bytes of all measurements."""
        total = 0
        for file in self._entries.glob("*/*.json"):
            with suppress(FileNotFoundError):
                total += file.stat().st_size
        return total


def identity_file(root: Path) -> Path:
    """The file that holds `Cache.identity`."""
    return root / "identity"


def read(file: Path) -> Measurement:
    """The measurement in a file named by its key; raises OSError and ValueError."""
    measurement = Measurement.from_json(json.loads(file.read_text(encoding="utf-8")))
    if measurement.key != file.stem:
        raise ValueError(f"it is the measurement of another key, {measurement.key}")
    return measurement


def existing(root: Path, say: Callable[[str], None]) -> Cache:
    """The cache in a folder that must be one already; raises DataError."""
    if not identity_file(root).is_file():
        raise DataError(f"there is no cache of measurements in {root}", f"name one with --cache DIR or {VARIABLE}")
    return Cache(root, say)


def older_than(days: float) -> Callable[[Measurement], bool]:
    """Whether a measurement was made more than that many days ago."""
    limit = datetime.now(UTC) - timedelta(days=days)
    return lambda measurement: datetime.fromisoformat(measurement.date) < limit


def out_of_use() -> Callable[[Measurement], bool]:
    """Whether a measurement is of another Yosys than the installed one, or read by another hlsflow."""
    current = yosys.find().label, own_code()
    return lambda measurement: (measurement.tool, measurement.code) != current


@dataclass(frozen=True)
class Group:
    """Measurements of one tool version and family: their number, and the seconds that they spare."""

    tool: str
    family: str
    entries: int
    seconds: float


def groups(measurements: list[Measurement]) -> list[Group]:
    """The measurements by tool version and family."""
    seconds: dict[tuple[str, str], list[float]] = {}
    for item in measurements:
        seconds.setdefault((item.tool, item.family), []).append(item.seconds)
    return [Group(*pair, len(each), sum(each)) for pair, each in sorted(seconds.items())]
