"""Whatever happens to a report file: it gives all its figures, or one clear error and none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from hlsflow.core.errors import DataError
from hlsflow.toolchains.reports import READERS, read_any
from hlsflow.toolchains.reports.report import Report
from hlsflow.toolchains.reports.text import LIMIT_BYTES
from tests.toolchains.reports.written import REPORTS


def figures(report: Report) -> object:
    return report.tool, report.version, report.part, report.top, report.clock_ns, report.metrics, report.layers


def attempt(file: Path) -> object:
    """The figures, or None after one error that names the file."""
    try:
        return figures(read_any(file))
    except DataError as error:
        require_clear(error, file)
        return None


def require_clear(error: DataError, file: Path) -> None:
    assert str(file) in error.message
    assert error.hint


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_cut_at_any_line_gives_all_its_figures_or_an_error(tmp_path: Path, name: str) -> None:
    content = REPORTS[name].encode()
    ends = [index for index, byte in enumerate(content) if byte == ord("\n")]
    require_all_or_nothing(
        tmp_path / name, content, sorted({*ends, *(end + 1 for end in ends), *range(0, len(content), 17)})
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", REPORTS)
def test_a_report_cut_at_any_byte_gives_all_its_figures_or_an_error(tmp_path: Path, name: str) -> None:
    content = REPORTS[name].encode()
    require_all_or_nothing(tmp_path / name, content, range(len(content)))


def require_all_or_nothing(file: Path, content: bytes, ends: Sequence[int]) -> None:
    file.write_bytes(content)
    whole = figures(read_any(file))
    refused = 0
    for end in ends:
        file.write_bytes(content[:end])
        found = attempt(file)
        assert found in (None, whole), f"cut after {end} bytes"
        refused += found is None
    assert refused > len(ends) / 2


@pytest.mark.parametrize("name", REPORTS)
def test_two_reports_in_one_file_are_refused(tmp_path: Path, name: str) -> None:
    file, content = tmp_path / name, REPORTS[name]
    file.write_text(content + content)
    if name == "tiny_csim.log":
        assert attempt(file) is not None  # a log may go on
    else:
        assert attempt(file) is None


@pytest.mark.parametrize("name", REPORTS)
def test_the_report_of_another_kind_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    for other, content in REPORTS.items():
        if READERS_OF[name] != READERS_OF[other]:
            file.write_text(content)
            with pytest.raises(DataError) as caught:
                READERS[READERS_OF[name]].read(file)
            require_clear(caught.value, file)


READERS_OF = {
    name: next(key for key, reader in READERS.items() if any(Path(name).match(pattern) for pattern in reader.patterns))
    for name in REPORTS
}


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\x7fELF\x02\x01\x01\x00\x00\x00", "is no text file|is no XML"),
        ("\ufeff| Tool".encode("utf-16"), "is no text file|is no XML"),
    ],
    ids=["empty", "blank", "binary", "other encoding"],
)
def test_empty_and_binary_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_any(file)


@pytest.mark.parametrize("name", REPORTS)
def test_a_huge_file_is_refused_unread(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    with file.open("wb") as stream:
        stream.truncate(100 * 2**20)  # sparse: it takes no room
    assert file.stat().st_size > LIMIT_BYTES
    with pytest.raises(DataError, match="has 100 MB, more than any such file"):
        read_any(file)


def test_missing_files_folders_and_unknown_names(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere_csynth\.xml cannot be read: No such file"):
        read_any(tmp_path / "nowhere_csynth.xml")
    (tmp_path / "vivado_synth.rpt").mkdir()
    with pytest.raises(DataError, match="is a folder, no file"):
        read_any(tmp_path / "vivado_synth.rpt")
    (tmp_path / "notes.txt").write_text("LUT 5\n")
    with pytest.raises(DataError, match="is no report that is known") as caught:
        read_any(tmp_path / "notes.txt")
    assert "docs/how-to/reports.md" in caught.value.hint


def test_an_xml_report_with_a_document_type_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "tiny_csynth.xml"
    file.write_text('<!DOCTYPE profile [<!ENTITY a "aaaa">]>' + REPORTS["tiny_csynth.xml"])
    with pytest.raises(DataError, match="declares a document type"):
        read_any(file)


@pytest.mark.parametrize("name", [name for name in REPORTS if name.endswith((".rpt", ".xml"))])
def test_a_number_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    """Every digit of the figures, replaced by a letter: an error, or a figure that is missing with its reason."""
    file, content = tmp_path / name, REPORTS[name]
    file.write_text(content)
    report = read_any(file)
    whole = {metric.name: metric.value for metric in report.metrics}
    for line in {int(metric.source.rpartition(":")[2]) for metric in report.metrics}:
        lines = content.splitlines()
        lines[line - 1] = "".join("x" if char in "13579" else char for char in lines[line - 1])
        file.write_text("\n".join(lines) + "\n")
        if lines[line - 1] == content.splitlines()[line - 1]:
            continue
        try:
            found = read_any(file).metrics
        except DataError:
            continue
        assert all(metric.value == whole[metric.name] or metric.value is None for metric in found)
        assert all(metric.note for metric in found if metric.value is None)
