"""Files of others: whatever is in them, reading ends soon, in what they hold or in one error with the file's name."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hlsflow.core import foreign
from hlsflow.core.errors import DataError, ProjectError, first_line
from hlsflow.data.columns import read_columns
from hlsflow.data.sources import read_npz
from hlsflow.project import load
from hlsflow.report.comparison import baseline
from hlsflow.report.folders import directory, hls4ml_config
from hlsflow.toolchains.reports import read_any

KIND = foreign.Kind("some file", "is damaged", "mend it", limit=2**20)
LAYERS = 200_000


def refusal(act: Callable[[], object], *words: str) -> None:
    """One error with these words and a hint."""
    with pytest.raises((DataError, ProjectError)) as caught:
        act()
    assert caught.value.hint
    for word in words:
        assert word in caught.value.message


def written(file: Path, content: str | bytes) -> Path:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def test_sound_files_give_their_content(tmp_path: Path) -> None:
    assert foreign.toml(written(tmp_path / "a.toml", 'a.b = [1, "x"]'), KIND) == {"a": {"b": [1, "x"]}}
    assert foreign.json(written(tmp_path / "a.json", '{"a": [1, null, 2.5]}'), KIND) == {"a": [1, None, 2.5]}
    assert foreign.text(written(tmp_path / "a.txt", "Grüße"), KIND) == "Grüße"
    found = foreign.xml_elements(written(tmp_path / "a.xml", "<r>\n<a><b> 1 </b></a></r>"), KIND)
    assert found[0] == foreign.Element("a/b", "1", 2)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("toml", "a = " + "[" * LAYERS, "layers"),
        ("toml", "a = " + "{a = " * LAYERS, "layers"),
        ("toml", ".".join("a" * LAYERS) + " = 1", "32 parts (at line 1)"),
        ("toml", "b = 1\n[" + ".".join(['"a"'] * LAYERS) + "]", "32 parts (at line 2)"),
        ("toml", "a = " + "9" * 5000, "thousands of digits"),
        ("toml", f"a = {2**63}", "64 bits"),
        ("toml", "a = 0x" + "f" * 5000, "64 bits"),
        ("toml", b"\xff\xfe\x00", "byte 0 is no UTF-8"),
        ("json", "[" * LAYERS, "layers"),
        ("json", '{"a":' * 150 + "1" + "}" * 150, "100 layers"),
        ("json", "9" * 5000, "thousands of digits"),
        ("json", f"[{-(2**63) - 1}]", "64 bits"),
        ("json", b'"\xff"', "no UTF-8"),
        ("json", " \n", "is empty"),
    ],
)
def test_tables_that_no_parser_can_take(tmp_path: Path, name: str, content: str | bytes, words: str) -> None:
    file = written(tmp_path / f"a.{name}", content)
    refusal(lambda: getattr(foreign, name)(file, KIND), f"some file {file}", words)


@pytest.mark.parametrize(
    "source", ["(" * LAYERS, "x = " + "-" * LAYERS + "1", "x = a" + ".b" * LAYERS, "x = 1" + "+1" * LAYERS, "a\0"]
)
def test_python_that_the_compiler_cannot_take(tmp_path: Path, source: str) -> None:
    file = written(tmp_path / "model.py", source)
    refusal(lambda: foreign.python(file, KIND), str(file))


@pytest.mark.parametrize(
    "content",
    [
        "<a>" * LAYERS,
        "<a>" * LAYERS + "</a>" * LAYERS,
        "<a><b>" * 60 + "</b></a>" * 60,
        '<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>',
        "<a>" + "x" * 2**20 + "</a>",
        "<a>&nbsp;</a>",
        "",
    ],
    ids=["deep", "closed", "layers", "entity", "large", "unknown", "empty"],
)
def test_xml_that_would_take_for_ever(tmp_path: Path, content: str) -> None:
    file = written(tmp_path / "a.xml", content)
    refusal(lambda: foreign.xml_elements(file, KIND), str(file))


@pytest.mark.parametrize(
    "content",
    [
        "[" * 20_000,
        "\n".join(" " * layer + "a:" for layer in range(500)),
        "- " * 20_000,
        "a: " + "9" * 5000,
        "a: 2026-99-99",
        "a: !!timestamp x",
        "? [a]\n: 1",
        "a: [",
        "- a",
    ],
)
def test_configurations_that_yaml_cannot_take(tmp_path: Path, content: str) -> None:
    written(tmp_path / "hls4ml_config.yml", content)
    refusal(lambda: hls4ml_config.read(tmp_path), "hls4ml_config.yml")


def test_yaml_that_grows_is_never_unfolded(tmp_path: Path) -> None:
    grown = "".join(f"a{step}: &a{step} [*a{step - 1}, *a{step - 1}]\n" for step in range(1, 60))
    merged = "".join(f"m{step}: &m{step} {{<<: [*m{step - 1}, *m{step - 1}]}}\n" for step in range(1, 60))
    text = f"a0: &a0 [x, x]\n{grown}m0: &m0 {{x: 1}}\n{merged}ProjectName: *a59\nBackend: Vitis\n"
    written(tmp_path / "hls4ml_config.yml", text)
    found = hls4ml_config.read(tmp_path)
    assert found is not None
    assert found.general == {"Backend": "Vitis"}


def pipe(file: Path) -> None:
    os.mkfifo(file)


def device(file: Path) -> None:
    file.symlink_to("/dev/zero")


def loop(file: Path) -> None:
    file.symlink_to(file.name)


def folder(file: Path) -> None:
    file.mkdir()


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", [pipe, device, loop, folder])
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("project.toml", load),
        ("top_csynth.xml", read_any),
        ("x.npz", read_npz),
        ("x.csv", lambda file: read_columns(file, None, ())),
        ("b.toml", baseline.read),
    ],
)
def test_what_is_no_file_is_not_waited_for(
    tmp_path: Path, make: Callable[[Path], None], name: str, read: Callable[[Path], object]
) -> None:
    make(tmp_path / name)
    refusal(lambda: read(tmp_path / name), name)


@pytest.mark.timeout(20)
def test_a_folder_with_traps_is_told_with_what_is_sound(tmp_path: Path) -> None:
    written(tmp_path / "hls4ml_config.yml", "ProjectName: net\nBackend: Vitis\n")
    (tmp_path / "round").symlink_to(tmp_path)
    pipe(tmp_path / "net_csynth.xml")
    device(tmp_path / "net_csynth.rpt")
    loop(tmp_path / "vivado_synth.rpt")
    pipe(tmp_path / "hls.app")
    written(tmp_path / "csynth.xml", "<a>" * LAYERS)
    found = directory.read(tmp_path)
    assert found.name == "net"
    told = "\n".join(found.refused)
    for name in ("net_csynth.xml is a pipe", "net_csynth.rpt is a device", "vivado_synth.rpt", "csynth.xml ends early"):
        assert name in told


def archive(file: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return file


def array(shape: str, data: bytes = b"") -> bytes:
    """An array as its file has it, of a shape that need not be true."""
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
    head += " " * (-len(head) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode() + data


def encrypted(file: Path) -> Path:
    """An archive that says so of its only member."""
    archive(file, {"x.npy": array("(1,)", bytes(8))})
    content = bytearray(file.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    content[content.index(b"PK\x03\x04") + 6] |= 1
    return written(file, bytes(content))


def inner() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, x=np.zeros(3))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "members",
    [
        {"x.npy": array("(10**9, 10**9)")},
        {"x.npy": array(f"({2**50},)")},
        {"x.npy": array("(-1,)", bytes(8))},
        {"x.npy": array("(5,)", bytes(8))},
        {"x.npy": array("(" * 3000)},
        {"x": inner()},
        {"x.npy": b""},
        {"x.npy": b"\x93NUMPY\x09\x00"},
        {f"{number}.npy": b"" for number in range(foreign.MEMBERS + 1)},
    ],
    ids=["expression", "petabytes", "negative", "short", "layers", "nested", "empty", "version", "many"],
)
def test_archives_that_are_not_what_they_say(tmp_path: Path, members: dict[str, bytes]) -> None:
    file = archive(tmp_path / "x.npz", members)
    refusal(lambda: read_npz(file), str(file))


def test_an_encrypted_archive(tmp_path: Path) -> None:
    refusal(lambda: read_npz(encrypted(tmp_path / "x.npz")), "x.npz", "encrypted")


def test_an_archive_that_unpacks_to_more_than_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez_compressed(tmp_path / "x.npz", x=np.zeros(2**17))
    assert read_npz(tmp_path / "x.npz")["x"].shape == (2**17,)
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"total": 2**19}))
    refusal(lambda: read_npz(tmp_path / "x.npz"), "would unpack to 1 MB")


class Mute(Exception):
    """Says nothing, and fails when it is asked."""

    def __str__(self) -> str:
        raise ValueError

    __repr__ = __str__


@pytest.mark.parametrize(
    ("error", "text"),
    [(ValueError("a\nb"), "a"), (KeyError(), "KeyError()"), (Mute(), "Mute"), (ValueError("x" * 9000), "x" * 500)],
)
def test_what_an_exception_says(error: Exception, text: str) -> None:
    assert first_line(error) == text


@pytest.mark.parametrize("error", [Mute(), RecursionError(), MemoryError(), OverflowError("int"), OSError("odd")])
def test_whatever_is_raised_while_reading_is_one_error(error: Exception) -> None:
    def act() -> None:
        with foreign.reading("a.json, line 3", KIND):
            raise error

    refusal(act, "some file a.json, line 3 is damaged: ")
