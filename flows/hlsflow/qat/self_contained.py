"""Refuses model files that make a reader open other files: what such a file names would become weights.

In: an HDF5 file, or a `.keras` archive with one in it. Out: nothing, or ModelError. Nothing that a file points at is
opened here. HDF5 can keep the values of a dataset in any other file, put it together from datasets of others, and link
to them; no model that Keras saves does any of that.
"""

from __future__ import annotations

import io
import math
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from hlsflow.core import foreign
from hlsflow.core.errors import ModelError

HINT = "save the model again with model.save(), and load no such file of people whom you do not trust"
KIND = foreign.Kind("", "is a damaged or truncated model file", "copy it again", ModelError)
WEIGHTS = ".h5"

OBJECTS = 1_000_000
"""No model file has so many groups and datasets."""


def require_self_contained(path: Path) -> None:
    """Look through a model file.

    Args:
        path: of an HDF5 file or a `.keras` archive.
    Raises:
        ModelError: it points at other files, its values would not fit into memory, or it is damaged.
    """
    foreign.require_file(path, KIND)
    with foreign.reading(path, KIND):
        if not zipfile.is_zipfile(path):
            _look_through(path, path)
            return
        with zipfile.ZipFile(path) as archive:
            _check_members(path, archive.infolist())
            for name in archive.namelist():
                if name.endswith(WEIGHTS):
                    _look_through(path, io.BytesIO(archive.read(name)))


def _check_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    for member in members:
        if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):  # 0: the archive does not say
            KIND.refuse(path, f"holds '{member.filename}', which is no plain file", HINT)
    names = [member.filename for member in members]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        KIND.refuse(path, f"holds '{twice[0]}' more than once", HINT)


def _look_through(path: Path, source: Any) -> None:
    import h5py

    with h5py.File(source, "r") as file:
        bytes_, room = 0, psutil.virtual_memory().total
        for dataset in _datasets(path, file):
            bytes_ += math.prod(dataset.shape or ()) * dataset.dtype.itemsize
            if bytes_ > room:
                KIND.refuse(path, f"says that '{dataset.name}' and others hold more bytes than this machine's memory")


def _datasets(path: Path, file: Any) -> Iterator[Any]:
    """All datasets, each looked at before it is told; no link is followed but the file's own to its parts."""
    import h5py

    groups, addresses = [file["/"]], set()
    while groups:
        group = groups.pop()
        for name in group.id:
            where = f"'{group.name.rstrip('/')}/{_text(name)}'"
            _check_link(path, where, group.id.links.get_info(name).type)
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in addresses:
                continue
            addresses.add(address)
            if len(addresses) > OBJECTS:
                KIND.refuse(path, f"has more than {OBJECTS:,} parts")
            if isinstance(item, h5py.Group):
                groups.append(item)
            elif isinstance(item, h5py.Dataset):
                _check_dataset(path, where, item)
                yield item


def _text(name: bytes | str) -> str:
    return name if isinstance(name, str) else name.decode("utf-8", "backslashreplace")


def _check_link(path: Path, where: str, kind: int) -> None:
    import h5py

    if kind == h5py.h5l.TYPE_EXTERNAL:
        KIND.refuse(path, f"links {where} to another file", HINT)
    if kind != h5py.h5l.TYPE_HARD:
        KIND.refuse(path, f"has a link in place of {where}", HINT)


def _check_dataset(path: Path, where: str, dataset: Any) -> None:
    import h5py

    made = dataset.id.get_create_plist()
    if made.get_external_count():
        file = made.get_external(0)[0]
        KIND.refuse(path, f"keeps the values of {where} in another file, {_text(file)}", HINT)
    if made.get_layout() == h5py.h5d.VIRTUAL:
        KIND.refuse(path, f"puts {where} together from datasets of other files", HINT)
