"""Finished work, kept by what it depends on, so that nothing is done twice and nothing half-done is ever used.

In: a step's name, a key (everything its result depends on) and a function that fills a folder. Out: the folder.
A step works in a `.partial` folder under a lock and is renamed when it has finished: whoever is killed leaves a
partial folder that the next run takes over, and two runs at once wait for each other instead of colliding.

A key holds contents, never names or times: of files (also behind links) their digests, of our own code and templates
the digest of every file that the step uses (`code`), of packages their versions, of programs their `Tool.identity`.
Date, command line and host stand beside the key in the manifest (`hlsflow.core.provenance`): they are told, and decide
nothing.

    step       its key holds, besides our own code
    train      tables of the project file; samples; all that building the networks reads, their configurations and
               initial weights (`qat.network`); what the environment tells TensorFlow (`keras2.settings`); packages;
               how many machines train; for pruning by lanes the knobs
    translate  tables of the project file; the trained model; samples; knobs that hls4ml knows; packages; settings
    csim       what translate left; packages; the compiler, and what the environment tells it (`gxx.identity`)
    rtl        the Verilog itself and its testbench
    rtlsim     the Verilog; samples; Verilator and the compiler, as in csim
    synth      the Verilog and script; Yosys. Routed: the netlist, part, clock; nextpnr and its options. By a vendor:
               the HLS project, the project's own templates, ours; the tool
    explore    as synth; of a vendor, for each layer, as translate and synth
    prepared   samples; the tables that prepare them; packages

A vendor's tool is known by its release: its own start-up files and licences are in no key.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hlsflow.core import templates
from hlsflow.core.errors import StorageError
from hlsflow.core.provenance import provenance

MANIFEST = "manifest.json"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the operating system says of a full disk; `shutil.copytree` says it in its text alone."""

DIGITS = 16
"""Hexadecimal digits of a digest that name a folder: 64 bits, no collision in any number of runs a project sees."""

Key = Mapping[str, Any]


@dataclass(frozen=True)
class Done:
    """A finished step.

    Attributes:
        folder: its files.
        outputs: file name relative to `folder` → SHA-256.
        reused: whether it had been finished before this call.
        seconds: how long the work took when it was done.
        made: when, by which command and where, see `hlsflow.core.provenance`; empty where an older hlsflow did it.
    """

    folder: Path
    outputs: Mapping[str, str]
    reused: bool
    seconds: float
    made: Mapping[str, Any] = field(default_factory=dict)

    def digest(self, *names: str) -> str:
        """One name for the content of some of the outputs (all when none is named); a name may be a folder's."""
        chosen = {key: value for key, value in self.outputs.items() if not names or _within(key, names)}
        return digest(chosen)


class Store:
    """The finished steps of a project.

    Args:
        root: folder of the store; made when missing.
        say: where to report waiting and damage.
    """

    def __init__(self, root: Path, say: Callable[[str], None]) -> None:
        self._root, self._say = root, say

    def records(self, name: str) -> Path:
        """The folder for small files of that name, which live as long as finished work and may be lost."""
        return self._root / name

    def do(self, step: str, key: Key, work: Callable[[Path], None], resumable: bool = False) -> Done:
        """Return the finished step of that key, doing the work if nobody has.

        Args:
            step: name of the step, and of its folder.
            key: plain JSON values; equal keys mean equal results.
            work: fills the folder it is given; may raise.
            resumable: whether `work` can go on from what a killed run left in the folder.
        Raises:
            StorageError: the store cannot be written. Whatever `work` raises.
        """
        name = digest(key)[:DIGITS]
        final, partial = self._root / step / name, self._root / step / f"{name}.partial"
        with _storage(final), self._locked(step, name):
            finished = self._finished(final)
            if finished:
                return finished
            if not resumable:
                shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True, exist_ok=True)
            started = time.monotonic()
            work(partial)
            return _finish(step, key, partial, final, time.monotonic() - started)

    def _locked(self, step: str, name: str) -> AbstractContextManager[None]:
        file = self._root / step / f"{name}.lock"
        return locked(file, f"{step}: another run is doing this, waiting for it", self._say)

    def _finished(self, folder: Path) -> Done | None:
        """The finished step in `folder`, if it is there and undamaged."""
        if not folder.exists():
            return None
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            outputs = dict(manifest["outputs"])
            if outputs == _outputs(folder):
                return Done(folder, outputs, True, float(manifest["seconds"]), dict(manifest.get("made", {})))
        except (OSError, ValueError, KeyError, TypeError):
            pass
        self._say(f"{folder} is damaged: this step is done again")
        shutil.rmtree(folder)
        return None


def digest(value: object) -> str:
    """SHA-256 of a value made of plain JSON types."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def code(*parts: str) -> str:
    """A digest of our own sources, so that a newer hlsflow does not trust what an older one computed.

    Args:
        parts: files and folders of the package, or of the templates after `templates/`.
    Raises:
        FileNotFoundError: there is no such part, so the key would not see its changes.
    """
    files = {name: file for part in parts for name, file in _sources(part)}
    return digest({name: file_digest(file) for name, file in files.items()})


def _sources(part: str) -> list[tuple[str, Path]]:
    """Every file of a part, with the name that it has in the package or below `templates/`."""
    inside = part.removeprefix("templates/")
    path = Path(__file__).parents[1] / part if inside == part else templates.root() / inside
    if path.is_file():
        return [(part, path)]
    files = [file for file in path.rglob("*") if file.is_file() and file.parent.name != "__pycache__"]
    if not files:
        raise FileNotFoundError(f"no source code in {path}")
    return [(f"{part}/{file.relative_to(path).as_posix()}", file) for file in files]


@contextmanager
def locked(file: Path, waiting: str, say: Callable[[str], None]) -> Iterator[None]:
    """Hold a lock among processes, in a folder that is made when missing; `waiting` is said when another one has it."""
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(waiting)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def write_text(path: Path, text: str) -> None:
    """`write_bytes` of a text in UTF-8; what is no character, as in some file names, is written as an escape."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new one, never half of it; raises StorageError."""
    with _storage(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
        with replacing(path) as part:
            part.write_bytes(content)


@contextmanager
def replacing(file: Path) -> Iterator[Path]:
    """A path for new content, of the same ending, that takes the place of `file` at once when the block has ended well.

    A reader sees the old content or the new one, never half of it, and that also after a crash of the machine: what was
    written is on the disk before it gets the file's name. A link stays one, and a device or a pipe, whose place nothing
    may take, is written itself. Raises OSError.
    """
    file = Path(os.path.realpath(file))
    if file.exists() and not file.is_file():
        yield file
        return
    part = file.with_name(f".{os.getpid()}.{file.name}")
    try:
        yield part
        with part.open("rb") as stream:
            os.fsync(stream.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def link(target: Path, name: Path) -> None:
    """Make the symbolic link `name` point at `target`, replacing an older one at once; raises StorageError."""
    part = name.with_name(f".{name.name}.{os.getpid()}.part")
    with _storage(name):
        name.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        part.symlink_to(os.path.relpath(target, name.parent))
        part.replace(name)


def _within(name: str, chosen: tuple[str, ...]) -> bool:
    return any(name == item or name.startswith(f"{item}/") for item in chosen)


def _finish(step: str, key: Key, partial: Path, final: Path, seconds: float) -> Done:
    outputs, made = _outputs(partial), provenance()
    manifest = {"step": step, "key": key, "outputs": outputs, "seconds": round(seconds, 3), "made": made}
    write_text(partial / MANIFEST, json.dumps(manifest, indent=1))
    partial.rename(final)
    return Done(final, outputs, False, seconds, made)


def _outputs(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST)
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in files}


@contextmanager
def _storage(path: Path) -> Iterator[None]:
    """Turn what the operating system says about the disk into one clear error."""
    try:
        yield
    except OSError as error:
        full = next((code for code in FULL if error.errno == code or os.strerror(code) in str(error)), None)
        hint = "free some space" if full else "check that the folder is there and that you may write to it"
        reason = os.strerror(full) if full else error.strerror or error
        message = f"cannot write {error.filename or path}: {reason}"
        raise StorageError(message, f"{hint}, then run again: finished steps are kept") from error
