"""Measurements in one portable file, to carry them to another machine.

In: a cache, or an archive. Out: the other. An archive is text compressed by gzip: a line that says what it is, then one
measurement a line, as in the files of the cache.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hlsflow.core import foreign
from hlsflow.core.errors import DataError
from hlsflow.core.store import write_bytes
from hlsflow.explore.cache import Cache, Measurement

HEAD = {"format": "hlsflow measurements", "version": 1}
ARCHIVE = foreign.Kind(
    "",
    "is no whole archive of measurements",
    "make one with: hlsflow cache export FILE; entries before the damage are kept",
)
MEASUREMENT = foreign.Kind("", "cannot be taken", "")
LINE_BYTES = 2**16
"""No measurement is longer; a file that is no archive is not read at once."""


@dataclass(frozen=True)
class Imported:
    """What became of an archive's entries: how many are new, how many were known, and why others were refused."""

    new: int
    present: int
    refused: tuple[str, ...]


def export_to(cache: Cache, file: Path) -> int:
    """Write all measurements to an archive; returns their number. Raises StorageError."""
    measurements = [item.to_json() for item in cache]
    text = "".join(f"{json.dumps(line)}\n" for line in [HEAD, *measurements])
    write_bytes(file, gzip.compress(text.encode(), mtime=0))
    return len(measurements)


def import_from(cache: Cache, file: Path) -> Imported:
    """Take over the measurements of an archive that are whole and do not contradict those at hand.

    Raises:
        DataError: the file is missing, or no archive of measurements.
        StorageError: the cache cannot be written.
    """
    new, repeated, refused = 0, 0, []
    for number, line in _lines(file):
        try:
            measurement = _read(line)
            present = cache.get(measurement.key)
            if present is None:
                cache.put(measurement)
                new += 1
            elif present.area == measurement.area:
                repeated += 1
            else:
                raise ValueError(f"it contradicts the measurement at hand, {dict(present.area)}")
        except (ValueError, DataError) as error:
            refused.append(f"line {number}{_name(line)}: {error}")
    return Imported(new, repeated, tuple(refused))


def _read(line: bytes) -> Measurement:
    with foreign.reading("it", MEASUREMENT):
        return Measurement.from_json(foreign.json_of(line, "it", MEASUREMENT))


def _name(line: bytes) -> str:
    """What a refused entry calls itself, if it can be read."""
    try:
        with foreign.reading("it", MEASUREMENT):
            data = foreign.json_of(line, "it", MEASUREMENT)
            return f" ('{data['part']}', {data['family']}, key {data['key'][:16]})"
    except DataError:
        return ""


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """The numbered lines after the head; raises DataError."""
    foreign.require_file(file, ARCHIVE)
    with foreign.reading(file, ARCHIVE), gzip.open(file) as stream:
        if json.loads(stream.readline(LINE_BYTES)) != HEAD:
            raise ValueError("its first line is another one")
        number = 2
        while line := stream.readline(LINE_BYTES):
            yield number, line
            number += 1
