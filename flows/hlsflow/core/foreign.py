"""The one place where files of others are read: projects, models, samples, reports, configurations, baselines.

In: a path, and a `Kind`, which says what the file is meant to be. Out: its content, or what a parser makes of it.
Whatever a parser raises, and whatever is raised by those who look into its result within `reading`, becomes the one
error of the kind, with file, place and hint. What would take for ever, or all memory, is refused before it is parsed:
what is no file (a pipe, a device), too many bytes, too many layers, archives that unpack to more than there is room
for.
"""

from __future__ import annotations

import ast
import json as json_
import os
import re
import stat
import tomllib
import xml.parsers.expat
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
import psutil
from numpy.typing import NDArray

from hlsflow.core.errors import DataError, FlowError, first_line

MIB = 2**20
DEPTH = 100
"""No file has so many layers of tables, lists or elements within each other."""

WHOLE = 2**63
"""Whole numbers of TOML and JSON are smaller."""

MEMBERS = 10_000
"""No archive has so many."""

KEY_PARTS = 32
"""No key of TOML has so many dotted parts; the parser's time grows with their square."""

_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*"""
_LONG_KEY = re.compile(rf"(?:^|[\[{{,])[ \t]*{_PART}(?:\.[ \t]*{_PART}){{{KEY_PARTS},}}", re.MULTILINE)

T = TypeVar("T")


@dataclass(frozen=True)
class Kind:
    """What a file is meant to be.

    Attributes:
        name: what stands before its path in messages, such as "csynth report"; may be empty.
        wrong: what is said of one that is damaged, such as "is no valid TOML"; the reason follows.
        hint: what the user can do then.
        error: the class of the error.
        limit: bytes that none has.
        absent: what the user can do where there is no such file; empty: the same as otherwise.
    """

    name: str
    wrong: str
    hint: str
    error: type[FlowError] = DataError
    limit: int = 32 * MIB
    absent: str = ""

    def refuse(self, file: Path | str, what: str, hint: str = "") -> NoReturn:
        """Raise the error: `what` says what is wrong with the file."""
        raise self.error(f"{self.name} {file} {what}".lstrip(), hint or self.hint) from None


@contextmanager
def reading(file: Path | str, kind: Kind) -> Iterator[None]:
    """Turn whatever is raised within into the one error of the kind; a FlowError stays as it is."""
    try:
        yield
    except FlowError:
        raise
    except Exception as error:
        what = _unreadable(error) or f"{kind.wrong}: {reason(error)}"
        raise kind.error(f"{kind.name} {file} {what}".lstrip(), kind.hint) from error


def _unreadable(error: Exception) -> str:
    """What the operating system says of the file; empty where that is not what went wrong."""
    return f"cannot be read: {error.strerror}" if isinstance(error, OSError) and error.strerror else ""


def reason(error: Exception) -> str:
    """What a parser found, in a line."""
    if isinstance(error, RecursionError):
        return "it has too many layers within each other"
    if isinstance(error, MemoryError):
        return str(error) or "it has too many layers, or takes more memory than there is"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is no UTF-8"
    if isinstance(error, KeyError):
        return f"{first_line(error)} is missing"
    text = first_line(error)
    return "a number has thousands of digits" if text.startswith("Exceeds the limit") else text


def require_file(file: Path, kind: Kind) -> int:
    """Refuse what is absent, or no file that ends, such as a pipe or a device; returns its size in bytes."""
    if kind.absent and not os.path.lexists(file):
        kind.refuse(file, "does not exist", kind.absent)
    with reading(file, kind):
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            kind.refuse(file, f"is {_named(status.st_mode)}, no file")
    return status.st_size


def _named(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def content(file: Path, kind: Kind) -> bytes:
    """The bytes of a file, which are no more than the kind's limit."""
    size = require_file(file, kind)
    with reading(file, kind):
        if size <= kind.limit:
            with open(file, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as stream:
                data = stream.read(kind.limit + 1) or b""
            size = max(size, len(data))
        if size > kind.limit:
            kind.refuse(file, f"has {size / MIB:,.0f} MB, more than any such file ({kind.limit / MIB:,.0f} MB)")
    return data


def head(file: Path, size: int, kind: Kind) -> bytes:
    """The first bytes of a file of any size."""
    require_file(file, kind)
    with reading(file, kind), file.open("rb") as stream:
        return stream.read(size)


def parsed(file: Path, kind: Kind, parse: Callable[[bytes], T]) -> T:
    """What a parser makes of a file; see `bounded`."""
    data = content(file, kind)
    if not data.strip():
        kind.refuse(file, "is empty")
    with reading(file, kind):
        return bounded(parse(data))


def text(file: Path, kind: Kind, errors: str = "strict") -> str:
    """The text of a file in UTF-8; `errors` as `bytes.decode` has it."""
    data = content(file, kind)
    with reading(file, kind):
        return data.decode("utf-8", errors)


def json(file: Path, kind: Kind) -> Any:
    """The value of a JSON file."""
    return parsed(file, kind, json_.loads)


def json_of(text: str | bytes, where: Path | str, kind: Kind) -> Any:
    """The value of a JSON text that was found somewhere."""
    with reading(where, kind):
        return bounded(json_.loads(text))


def toml(file: Path, kind: Kind) -> dict[str, Any]:
    """The tables of a TOML file; the mark that some editors of Windows put first is no part of it."""
    return parsed(file, kind, lambda data: _toml(data.decode("utf-8-sig")))


def _toml(text: str) -> dict[str, Any]:
    long = _LONG_KEY.search(text)
    if long:
        line = text.count("\n", 0, long.start() + 1) + 1
        raise ValueError(f"a key has more than {KEY_PARTS} parts (at line {line})")
    return tomllib.loads(text)


def python(file: Path, kind: Kind) -> ast.Module:
    """The syntax tree of a Python file; nothing of it is run."""
    data = content(file, kind)
    with reading(file, kind):
        return ast.parse(data, str(file))


def bounded(value: T) -> T:
    """The same value; raises ValueError where it has more layers or larger whole numbers than any file needs."""
    layer, depth = [value], 0
    identities: set[int] = set()
    while layer:
        depth += 1
        if depth > DEPTH:
            raise ValueError(f"it has more than {DEPTH} layers within each other")
        if any(isinstance(part, int) and not -WHOLE <= part < WHOLE for part in layer):
            raise ValueError("a whole number has more than 64 bits")
        layer = [part for branch in layer if _is_new(branch, identities) for part in _parts(branch)]
    return value


def _is_new(value: object, identities: set[int]) -> bool:
    """Whether a table or list comes for the first time: YAML can name one many times, also within itself."""
    if not isinstance(value, Mapping | list) or id(value) in identities:
        return False
    identities.add(id(value))
    return True


def _parts(value: Any) -> Sequence[Any]:
    return list(value.values()) if isinstance(value, Mapping) else value


@dataclass(frozen=True)
class Element:
    """An XML element without others in it: the tags that lead to it below the root, its text, its line."""

    path: str
    text: str
    line: int


def xml_elements(file: Path, kind: Kind) -> tuple[Element, ...]:
    """The elements of an XML file that have no others in them, and those around them, in the order of their ends.

    A document type is refused: it could name entities that grow without end, or other files.
    """
    return parsed(file, kind, _Elements().of)


class _Elements:
    """What expat calls back."""

    def __init__(self) -> None:
        self._found: list[Element] = []
        self._path: list[str] = []
        self._text: list[str] = []
        self._parser = xml.parsers.expat.ParserCreate()
        self._parser.StartElementHandler, self._parser.EndElementHandler = self._start, self._end
        self._parser.CharacterDataHandler = self._text.append
        self._parser.StartDoctypeDeclHandler = self._declared

    def of(self, content: bytes) -> tuple[Element, ...]:
        self._parser.Parse(content, True)
        return tuple(self._found)

    def _start(self, tag: str, _: Mapping[str, str]) -> None:
        self._path.append(tag)
        self._text.clear()
        if len(self._path) > DEPTH:
            raise ValueError(f"it has more than {DEPTH} elements within each other")

    def _end(self, _: str) -> None:
        text = "".join(self._text).strip()
        self._found.append(Element("/".join(self._path[1:]), text, self._parser.CurrentLineNumber))
        self._path.pop()
        self._text.clear()

    def _declared(self, *_: object) -> NoReturn:
        raise ValueError("it declares a document type, which no such file does")


def arrays(file: Path, kind: Kind) -> dict[str, NDArray[Any]]:
    """The named arrays of an `.npz` file; Python objects in it, which could run code, are refused."""
    require_file(file, kind)
    with reading(file, kind):
        if head(file, 6, kind) == b"\x93NUMPY":
            kind.refuse(file, "holds one bare array, not the named arrays of an .npz")
        with zipfile.ZipFile(file) as archive:
            _require_room(archive.infolist())
        with np.load(file, allow_pickle=False) as data:
            return {name: _array(name, data[name]) for name in data.files}


def _array(name: str, value: object) -> NDArray[Any]:
    if not isinstance(value, np.ndarray):
        raise ValueError(f"'{name}' is no array")
    return value


def members(file: Path, kind: Kind, wanted: Sequence[str]) -> tuple[set[str], dict[str, bytes]]:
    """The names of all members of a zip archive, and the content of those that are wanted, where they are there."""
    require_file(file, kind)
    with reading(file, kind), zipfile.ZipFile(file) as archive:
        _require_room(archive.infolist())
        for member in archive.infolist():
            if member.filename in wanted and member.file_size > kind.limit:
                raise ValueError(f"{member.filename} in it has {member.file_size / MIB:,.0f} MB")
        names = set(archive.namelist())
        return names, {name: archive.read(name) for name in wanted if name in names}


def _require_room(members: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse encrypted members, too many, and those that would unpack to more than this machine's memory."""
    size, room = sum(member.file_size for member in members), psutil.virtual_memory().total
    if any(member.flag_bits & 1 for member in members):
        raise ValueError("it is encrypted")
    if len(members) > MEMBERS:
        raise ValueError(f"it has {len(members):,} members, more than any such file ({MEMBERS:,})")
    if size > room:
        raise ValueError(
            f"it would unpack to {size / MIB:,.0f} MB, and this machine has {room / MIB:,.0f} MB of memory"
        )
