"""Model files that point at other files are refused, before anything of those becomes weights."""

from __future__ import annotations

import io
import os
import stat
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hlsflow.core.errors import ModelError
from hlsflow.qat import load_model
from hlsflow.qat.self_contained import require_self_contained
from tests.qat.test_load import keras, small

__all__ = ["keras"]

SHAPE = (4, 3)


def kernels(file: h5py.File) -> list[h5py.Dataset]:
    found: list[h5py.Dataset] = []
    file.visititems(lambda _, one: found.append(one) if isinstance(one, h5py.Dataset) and one.shape == SHAPE else None)
    return found


def replaced(file: h5py.File, put: Callable[[h5py.Group, str], None]) -> None:
    """Something else in place of the kernel."""
    (old,) = kernels(file)
    group, name = old.parent, old.name.rpartition("/")[2]
    del group[name]
    put(group, name)


def external(target: str, offset: int = 0) -> Callable[[h5py.File], None]:
    def put(group: h5py.Group, name: str) -> None:
        group.create_dataset(name, SHAPE, "f4", external=[(target, offset, 48)])

    return lambda file: replaced(file, put)


def virtual(target: str) -> Callable[[h5py.File], None]:
    def put(group: h5py.Group, name: str) -> None:
        layout = h5py.VirtualLayout(SHAPE, "f4")
        layout[:] = h5py.VirtualSource(target, "secret", SHAPE)
        group.create_virtual_dataset(name, layout)

    return lambda file: replaced(file, put)


def linked(link: Any) -> Callable[[h5py.File], None]:
    def put(group: h5py.Group, name: str) -> None:
        group[name] = link

    return lambda file: replaced(file, put)


def linked_group(file: h5py.File) -> None:
    (kernel,) = kernels(file)
    above = kernel.parent.parent
    name = kernel.parent.name.rpartition("/")[2]
    del above[name]
    above[name] = h5py.ExternalLink("other.h5", "/group")


def beside_the_weights(file: h5py.File) -> None:
    file.create_group("of/no/layer").create_dataset("x", (3,), "u1", external=[("/etc/passwd", 0, 3)])


def huge(file: h5py.File) -> None:
    file.create_dataset("huge", (2**20, 2**30), "f8", chunks=(1024, 1024))


FAULTS: dict[str, tuple[Callable[[h5py.File], None], str]] = {
    "external": (external("/etc/passwd"), "keeps the values of '.*' in another file, /etc/passwd"),
    "device": (external("/dev/zero"), "in another file, /dev/zero"),
    "relative": (external("secret.bin", 8), "in another file, secret.bin"),
    "virtual": (virtual("other.h5"), "puts '.*' together from datasets of other files"),
    "link out": (linked(h5py.ExternalLink("other.h5", "/secret")), "links '.*' to another file"),
    "soft link": (linked(h5py.SoftLink("/elsewhere")), "has a link in place of '.*'"),
    "group out": (linked_group, "links '.*' to another file"),
    "no layer's": (beside_the_weights, "keeps the values of '/of/no/layer/x' in another file, /etc/passwd"),
    "huge": (huge, "more bytes than this machine's memory"),
}


@pytest.fixture(scope="module")
def saved(keras: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sound model of each form."""
    folder = tmp_path_factory.mktemp("models")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for suffix in (".h5", ".keras"):
            small(keras).save(folder / f"model{suffix}")
    return folder


def spoilt(saved: Path, folder: Path, suffix: str, change: Callable[[h5py.File], None]) -> Path:
    source, target = saved / f"model{suffix}", folder / f"model{suffix}"
    with h5py.File(folder / "other.h5", "w") as other:
        other["secret"] = other["group/kernel:0"] = np.full(SHAPE, 7, np.float32)
    (folder / "secret.bin").write_bytes(b"\x01" * 64)
    if suffix == ".h5":
        target.write_bytes(source.read_bytes())
        with h5py.File(target, "r+") as file:
            change(file)
        return target
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    weights = io.BytesIO(members["model.weights.h5"])
    with h5py.File(weights, "r+") as file:
        change(file)
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in (members | {"model.weights.h5": weights.getvalue()}).items():
            archive.writestr(name, content)
    return target


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_a_model_that_points_elsewhere_is_refused(saved: Path, tmp_path: Path, suffix: str, fault: str) -> None:
    change, said = FAULTS[fault]
    path = spoilt(saved, tmp_path, suffix, change)
    with pytest.raises(ModelError, match=said) as caught:
        load_model(path)
    assert str(path) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_groups_within_each_other_are_no_fault(saved: Path, tmp_path: Path, suffix: str) -> None:
    def circle(file: h5py.File) -> None:
        file["loop/inner/outer"] = file.require_group("loop")
        file["again"] = kernels(file)[0]  # a second name of a part of the file itself

    require_self_contained(spoilt(saved, tmp_path, suffix, circle))


def member(name: str, mode: int) -> zipfile.ZipInfo:
    found = zipfile.ZipInfo(name)
    found.external_attr = mode << 16
    return found


def with_members(saved: Path, folder: Path, *more: tuple[zipfile.ZipInfo, bytes]) -> Path:
    """The archive, with members added or, of the same name, in place of its own."""
    new = {one.filename for one, _ in more}
    target = folder / "model.keras"
    with zipfile.ZipFile(saved / "model.keras") as archive, zipfile.ZipFile(target, "w") as changed:
        for name in set(archive.namelist()) - new:
            changed.writestr(name, archive.read(name))
        for one, content in more:
            changed.writestr(one, content)
    return target


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "assets/x", "model.weights.h5/x", "C:\\x", "inner.zip"])
def test_members_of_other_names_are_refused(saved: Path, tmp_path: Path, name: str) -> None:
    path = with_members(saved, tmp_path, (zipfile.ZipInfo(name), b"x"))
    with pytest.raises(ModelError, match="holds files that are not read for safety"):
        load_model(path)


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR])
def test_members_that_are_no_files_are_refused(saved: Path, tmp_path: Path, mode: int) -> None:
    with zipfile.ZipFile(saved / "model.keras") as archive:
        weights = archive.read("model.weights.h5")
    path = with_members(saved, tmp_path, (member("model.weights.h5", mode), weights))
    with pytest.raises(ModelError, match=r"holds 'model\.weights\.h5', which is no plain file"):
        load_model(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(saved: Path, tmp_path: Path) -> None:
    twice = [(zipfile.ZipInfo("metadata.json"), b'{"keras_version": "2.19"}')] * 2
    with pytest.raises(ModelError, match=r"holds 'metadata\.json' more than once"):
        load_model(with_members(saved, tmp_path, *twice))


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_pipes_and_devices_are_refused_at_once(tmp_path: Path, suffix: str) -> None:
    os.mkfifo(tmp_path / f"pipe{suffix}")
    (tmp_path / f"device{suffix}").symlink_to("/dev/zero")
    for name, kind in (("pipe", "a pipe"), ("device", "a device")):
        with pytest.raises(ModelError, match=f"is {kind}, no file"):
            load_model(tmp_path / f"{name}{suffix}")
