"""What a project's own code makes of a network, for the key of a training: everything that building it has read.

In: a project with a `model.py`, and a folder for records. Out: plain JSON values: the digests of the source files of
`model.py` and of all that it read below the project's folder, and of the networks built: their configurations and
initial weights, by which anything counts that makes another network, wherever it comes from.

Building needs TensorFlow, whose import takes seconds. So a record keeps what building has read, files, folders and
environment variables, with the state of every file below the project's folder; while all of that is the same, the
network is the same. Where anything else is, it is built again, and another network trains again.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from hlsflow.core.errors import ModelError
from hlsflow.core.store import code, digest, file_digest, write_text
from hlsflow.keras import keras2
from hlsflow.project import Project
from hlsflow.qat.build import build_noting
from hlsflow.qat.user_code import Reads

SOURCES = ("qat/network.py", "qat/build.py", "qat/user_code.py", "keras/keras2.py")

PROJECT = "project.toml"

Values = Mapping[str, Any]


def network_key(project: Project, records: Path, skip: Collection[Path] = ()) -> Values:
    """What the networks that a project builds depend on.

    Args:
        project: with functions of `model.py`; of others nothing is built.
        records: folder of what earlier calls have seen; made when missing.
        skip: folders below the project's that hold results.
    Raises:
        ModelError: a function fails, or returns no network. StorageError: the record cannot be written.
    """
    functions = [name for name in (project.model.baseline, project.model.quantized) if name is not None]
    if not functions:
        return {}
    record = records / f"{digest(_question(project, functions))[:32]}.json"
    outside = {path.resolve() for path in (*skip, records)}
    return _recorded(record, project, outside) or _seen(record, project, functions, outside)


def network_digest(model: Any) -> str:
    """Of a network's configuration and weights.

    Raises:
        ModelError: Keras cannot write its configuration, so that the network cannot be saved either.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras warns that QKeras' quantizers are no Keras constraints
            content = hashlib.sha256(model.to_json().encode())
    except Exception as error:  # whatever the layers raise
        raise ModelError(
            f"network '{model.name}' cannot be saved: {error}", "give each layer of your own a get_config()"
        ) from error
    for weights in model.get_weights():
        content.update(f"{weights.shape} {weights.dtype}".encode() + weights.tobytes())
    return content.hexdigest()


def changed(project: Project, read: Mapping[str, str]) -> list[str]:
    """The files among those that an earlier key says were read (its `read`) which hold something else now."""
    home = str(project.folder.resolve())
    return [name for name, recorded in read.items() if _digest(os.path.join(home, name)) != recorded]


def _question(project: Project, functions: list[str]) -> list[Any]:
    """What selects a record; the rest is compared with what stands in it."""
    asked = project.model.model_dump(mode="json")["arguments"], _seed(project), project.model_digest
    return [str(project.folder.resolve()), functions, *asked, keras2.settings(), keras2.versions(), code(*SOURCES)]


def _seed(project: Project) -> int:
    return 0 if project.training is None else project.training.seed


def _recorded(record: Path, project: Project, skip: Collection[Path]) -> Values | None:
    """The key from the record, when nothing has changed since."""
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
        state = content["state"]
        reads = Reads(*(set(state[name]) for name in ("files", "folders", "variables")))
        key: Values = content["key"]
        return key if state == _state(project, reads, skip) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _seen(record: Path, project: Project, functions: list[str], skip: Collection[Path]) -> Values:
    """The key from the networks themselves; recorded, unless something changed while they were built."""
    began, before = time.time_ns(), _tree(project, skip)
    reads, networks = Reads(), {}
    for name in functions:
        networks[name] = _network(project, name, reads)
    key = {"read": _contents(project, reads), "networks": networks}
    state = _state(project, reads, skip)
    if state["tree"] == before and not any(_changed_at(file) >= began for file in reads.files | reads.folders):
        record.parent.mkdir(parents=True, exist_ok=True)
        write_text(record, json.dumps({"state": state, "key": key}, indent=1))
    return key


def _network(project: Project, function: str, reads: Reads) -> str:
    """The digest of one network, whose own names and weights are the same each time; adds to `reads`."""
    keras2.ready()
    import tf_keras

    keras2.number_anew()
    tf_keras.utils.set_random_seed(_seed(project))
    model, read = build_noting(project, function)
    reads.add(read)
    return network_digest(model)


def _contents(project: Project, reads: Reads) -> Values:
    """Path from the project's folder → digest of what counts by its bytes: all files below it, and Python elsewhere."""
    home = str(project.folder.resolve())
    inside = (file for file in reads.files if file.startswith(f"{home}{os.sep}") or file.endswith(".py"))
    return {os.path.relpath(file, home): content_digest for file in sorted(inside) if (content_digest := _digest(file))}


def _state(project: Project, reads: Reads, skip: Collection[Path]) -> dict[str, Any]:
    """All that decides whether a record still holds."""
    return {
        "files": {file: _digest(file) for file in sorted(reads.files)},
        "folders": {folder: _names(folder) for folder in sorted(reads.folders)},
        "variables": {name: os.environ.get(name) for name in sorted(reads.variables)},
        "tree": _tree(project, skip),
    }


def _digest(file: str) -> str | None:
    try:
        return file_digest(Path(file)) if os.path.isfile(file) else None
    except OSError:
        return None


def _names(folder: str) -> list[str] | None:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return None


def _changed_at(path: str) -> int:
    try:
        return os.stat(path).st_ctime_ns
    except OSError:
        return 0


def _tree(project: Project, skip: Collection[Path]) -> str:
    """A digest of which files are below the project's folder, and when each was changed or replaced; hidden ones,
    compiled modules and project.toml, whose tables the key of a training holds, are left out."""
    rows = []
    for file in _files(project.folder.resolve(), skip):
        with suppress(OSError):
            state = file.stat()
            rows.append([str(file), state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino])
    return digest(sorted(rows))


def _files(home: Path, skip: Collection[Path]) -> Iterator[Path]:
    for place, folders, names in os.walk(home):
        folders[:] = [name for name in folders if not _left_out(name) and Path(place, name) not in skip]
        yield from (Path(place, name) for name in names if not _left_out(name) and Path(place, name) != home / PROJECT)


def _left_out(name: str) -> bool:
    return name.startswith(".") or name == "__pycache__" or name.endswith(".pyc")
