"""Runs the code of a project, which must neither end hlsflow nor leave modules behind, and notes what it reads.

In: the project's folder, and a block of code. Out: `Reads`. Modules that are not installed are imported anew from their
source each time: Python takes a module that it holds, and the compiled copy of a file that changed within a second, for
unchanged. What TensorFlow's own code opens (`tf.io`, its checkpoints) is not seen here.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import posix
import site
import sys
import sysconfig
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, wraps
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

OURS = Path(__file__).parents[1]
"""The package that this module belongs to; keys of steps hold its code by other means."""

EVENTS = ("open", "os.listdir", "os.scandir")

WRITING = os.O_WRONLY | os.O_CREAT


@dataclass
class Reads:
    """What a block of code has read, but for what installed packages read when they are imported.

    Attributes:
        files: opened for reading and not written, there or not, but those of Python and of installed packages.
        folders: whose names were listed.
        variables: of the environment, there or not.
    """

    files: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set, repr=False)

    def hear(self, event: str, arguments: Sequence[Any]) -> None:
        """Take note of an event of `sys.addaudithook`."""
        if event not in EVENTS or not isinstance(arguments[0], str | bytes | os.PathLike) or _by_an_import():
            return
        path = _absolute(arguments[0])
        if event == "open":
            self._opened(_source(path), arguments[1], arguments[2])
        elif not installed(path):
            self.folders.add(path)

    def add(self, other: Reads) -> None:
        """Take over what another block has read."""
        self.files |= other.files
        self.folders |= other.folders
        self.variables |= other.variables

    def _opened(self, file: str, mode: str | None, flags: int) -> None:
        if set(mode) & set("wax") if mode else flags & WRITING:
            self.written.add(file)
            self.files.discard(file)
        elif file not in self.written and not installed(file):
            self.files.add(file)


_heard: list[Reads] = []
"""Those who listen now, the innermost last."""


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _heard:
        if event == "os.exec":
            raise SystemExit(f"{event} of {arguments[0]}")
        _heard[-1].hear(event, arguments)


@cache
def _listen() -> None:
    """Python has no way to take a hook back; one that nobody listens to costs half a microsecond an event."""
    sys.addaudithook(_hook)


@contextmanager
def guarded(folder: Path) -> Iterator[Reads]:
    """Run the code of the project in `folder` within this block; what it reads is in `Reads` then.

    What would end the process raises SystemExit in it; the modules that it imported, but for installed ones, and
    changes of `sys.path` are gone after it.
    """
    _listen()
    reads, home = Reads(), folder.resolve()
    with _fresh_modules(home), _without_exit(), _noted_variables(reads), _noted_hdf5(reads):
        _heard.append(reads)
        try:
            yield reads
        finally:
            _heard.pop()


def load_module(name: str, file: Path) -> ModuleType:
    """Execute a Python file as a module of that name, from its source."""
    spec = importlib.util.spec_from_file_location(name, file, loader=_FromSource(name, str(file)))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def installed(file: str) -> bool:
    """Whether a file belongs to Python, to an installed package, to hlsflow or to the system's own interfaces."""
    return file.startswith(_installed())


@cache
def _installed() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    libraries = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    places = {*libraries, *site.getsitepackages(), site.getusersitepackages(), str(OURS), "/proc", "/sys", "/dev"}
    real = {os.path.realpath(place) for place in places}
    return tuple(f"{place}{os.sep}" for place in places | real)


def _by_an_import() -> bool:
    """Whether an installed module asks while it is imported, or Python while it looks for a module; not the project's
    own code, directly or through a library, nor hlsflow, which may itself run as a module (`python -m hlsflow`)."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        file, name = frame.f_code.co_filename, frame.f_code.co_name
        if name == "_fill_cache" or (name == "<module>" and installed(file)):
            return True
        if not file.startswith("<") and (not installed(file) or _runs_the_project(file)):
            return False
        frame = frame.f_back
    return True


def _runs_the_project(file: str) -> bool:
    return file.startswith(f"{OURS}{os.sep}") and file != __file__


def _absolute(path: str | bytes | os.PathLike[Any]) -> str:
    """A path without links in its folders; one that is a link itself keeps its name."""
    folder, name = os.path.split(os.path.abspath(os.fsdecode(path)))
    return os.path.join(os.path.realpath(folder), name)


def _source(file: str) -> str:
    """The source of a compiled module; any other file itself."""
    return importlib.util.source_from_cache(file) if file.endswith(".pyc") and "__pycache__" in file else file


class _FromSource(SourceFileLoader):
    """Takes no compiled copy of a module, and makes none."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class _Finder:
    """Finds modules that are not installed before anybody else does."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or not isinstance(spec.loader, SourceFileLoader) or installed(spec.loader.path):
            return None
        spec.loader = _FromSource(name, spec.loader.path)
        return spec


@contextmanager
def _fresh_modules(home: Path) -> Iterator[None]:
    finder, path = _Finder(), list(sys.path)
    before = {name: sys.modules.pop(name) for name in _own_modules() if _is_below(sys.modules[name], home)}
    others = set(sys.modules)
    importlib.invalidate_caches()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        sys.path[:] = path
        for name in set(_own_modules()) - others:
            del sys.modules[name]
        sys.modules.update(before)


def _own_modules() -> list[str]:
    """Names of the modules that are not installed, but for the one that runs."""
    files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items() if name != "__main__"}
    return [name for name, file in files.items() if file and not installed(file)]


def _is_below(module: ModuleType, home: Path) -> bool:
    return home in Path(str(module.__file__)).resolve().parents


@contextmanager
def _without_exit() -> Iterator[None]:
    """`os._exit` raises SystemExit, which can be told from success."""
    real, thread = os._exit, threading.get_ident()

    def refuse(status: int) -> None:
        if threading.get_ident() != thread:  # our own watch over a parent that was killed
            real(status)
        raise SystemExit(f"os._exit({status})")

    os._exit = posix._exit = refuse  # type: ignore[assignment]
    try:
        yield
    finally:
        os._exit = posix._exit = real


@contextmanager
def _noted_variables(reads: Reads) -> Iterator[None]:
    """Note which variables of the environment are asked for."""
    plain = type(os.environ)

    class Noted(plain):  # type: ignore[misc, valid-type]
        def __getitem__(self, key: str) -> str:
            if not _by_an_import():
                reads.variables.add(key)
            value: str = super().__getitem__(key)
            return value

    os.environ.__class__ = Noted
    try:
        yield
    finally:
        os.environ.__class__ = plain


@contextmanager
def _noted_hdf5(reads: Reads) -> Iterator[None]:
    """Note which HDF5 files are opened, which is done by a library in C."""
    import h5py

    real = h5py.File.__init__

    @wraps(real)
    def noted(file: Any, *arguments: Any, **named: Any) -> None:
        name = arguments[0] if arguments else named.get("name")
        reads.hear("open", (name, arguments[1] if len(arguments) > 1 else named.get("mode", "r"), 0))
        real(file, *arguments, **named)

    h5py.File.__init__ = noted
    try:
        yield
    finally:
        h5py.File.__init__ = real
