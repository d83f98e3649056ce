"""The cache of measurements: whole entries only, archives that survive a journey, and pruning that says what it did."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hlsflow.__main__ import main
from hlsflow.core.choices import Family
from hlsflow.core.errors import DataError
from hlsflow.core.store import digest
from hlsflow.explore import archive
from hlsflow.explore.cache import VARIABLE, Cache, Measurement, default_root, key_of, now, own_code
from hlsflow.toolchains import yosys

COUNTS = st.integers(0, 10**9)


def measurement(number: int, **changes: object) -> Measurement:
    area = {"lut": number, "ff": 2, "dsp": 3, "bram": 0}
    made = Measurement(digest(number), f"part {number}", yosys.find().label, own_code(), "xc7", area, 1.5, 100, now())
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def cache(tmp_path: Path, said: list[str]) -> Cache:
    return Cache(tmp_path / "cache", said.append)


@pytest.fixture
def full(cache: Cache) -> Cache:
    old = (datetime.now(UTC) - timedelta(days=10)).isoformat()
    for item in (measurement(1), measurement(2, date=old), measurement(3, tool="yosys 0.69 (native)", family="ecp5")):
        cache.put(item)
    return cache


def numbers(cache: Cache) -> list[int]:
    return sorted(item.area["lut"] for item in cache)


@given(COUNTS, COUNTS, st.text(), st.floats(0, 1e6))
def test_a_measurement_survives_its_json(lut: int, size: int, part: str, seconds: float) -> None:
    made = measurement(lut, part=part, size=size, seconds=seconds)
    assert Measurement.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_a_key_names_the_plan_the_tool_and_our_own_code(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = yosys.plan({"a.v": "module a; endmodule\n"}, "a", Family.XC7)
    same = yosys.plan({"a.v": "module a; endmodule\n"}, "a", Family.XC7)
    assert key_of(plan) == key_of(same) != key_of(yosys.plan({"a.v": "module a; endmodule\n"}, "a", Family.ECP5))
    monkeypatch.setattr("hlsflow.explore.cache.SOURCES", ("core/metrics.py",))
    assert key_of(plan) != key_of(replace(plan, top="b"))
    before = digest({"plan": plan.digest(yosys.find()), "code": "another"})
    assert key_of(plan) != before


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"ff": 2', '"ff": 1'),
        lambda text: text.replace('"format": 1', '"format": 2'),
        lambda text: "[]",
        lambda text: "",
    ],
    ids=["cut", "changed", "of another format", "something else", "empty"],
)
def test_a_damaged_entry_is_reported_and_counts_as_none(
    cache: Cache, said: list[str], damage: Callable[[str], str]
) -> None:
    made = measurement(1)
    cache.put(made)
    (file,) = cache.root.rglob(f"{made.key}.json")
    file.write_text(damage(file.read_text(encoding="utf-8")), encoding="utf-8")
    assert cache.get(made.key) is None
    assert "is damaged" in said[0]
    assert str(file) in said[0]
    cache.put(made)
    assert cache.get(made.key) == made


def test_an_entry_under_another_key_is_damage(cache: Cache, said: list[str]) -> None:
    cache.put(measurement(1))
    (file,) = cache.root.glob("entries/*/*.json")
    other = cache.root / "entries" / digest(2)[:2] / f"{digest(2)}.json"
    other.parent.mkdir()
    file.rename(other)
    assert cache.get(digest(2)) is None
    assert "another key" in said[0]


def test_only_one_has_the_claim(cache: Cache, tmp_path: Path) -> None:
    key = digest(1)
    with cache.claim(key, wait=False) as first, Cache(tmp_path / "cache", print).claim(key, wait=False) as second:
        assert (first, second) == (True, False)
    with cache.claim(key, wait=True) as again:
        assert again


def test_an_archive_carries_everything(full: Cache, tmp_path: Path, said: list[str]) -> None:
    file = tmp_path / "archive.gz"
    assert archive.export_to(full, file) == 3
    other = Cache(tmp_path / "other", said.append)
    assert archive.import_from(other, file) == archive.Imported(3, 0, ())
    assert list(other) == list(full)
    assert archive.import_from(other, file) == archive.Imported(0, 3, ())
    assert other.identity != full.identity
    again = tmp_path / "again.gz"
    archive.export_to(other, again)
    assert again.read_bytes() == file.read_bytes()


def test_damaged_and_foreign_entries_of_an_archive_are_refused_by_name(
    full: Cache, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, other = tmp_path / "archive.gz", Cache(tmp_path / "other", print)
    archive.export_to(full, file)
    head, *lines = gzip.decompress(file.read_bytes()).decode().splitlines()
    bad = lines[1].replace('"ff": 2', '"ff": 1')
    wrong = json.dumps(measurement(3, area={"lut": 9, "ff": 9, "dsp": 9, "bram": 9}).to_json())
    text = "\n".join([head, lines[0], bad, '{"some": "thing"}', "nonsense", lines[2], wrong])
    file.write_bytes(gzip.compress(text.encode()))
    known = [json.loads(line)["area"]["lut"] for line in (lines[0], lines[2])]
    assert main(["cache", "import", str(file), "--cache", str(other.root)]) == DataError.exit_code
    printed = capsys.readouterr()
    assert numbers(other) == sorted(known)
    refused = 4 if 3 in known else 3
    assert f"{refused} entries of {file} were refused" in printed.err
    assert f"line 3 ('{json.loads(bad)['part']}'" in printed.err
    assert "does not match its seal" in printed.err
    assert "line 4: it cannot be taken: it is no measurement of hlsflow" in printed.err
    assert "line 5: it cannot be taken: Expecting value" in printed.err


@pytest.mark.parametrize(
    "content",
    [b"", b"text", gzip.compress(b"{}\n"), gzip.compress(b'{"a": 1}\n' * 99)[:-9]],
    ids=["empty", "text", "foreign", "truncated"],
)
def test_what_is_no_archive_is_refused(cache: Cache, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "archive.gz"
    file.write_bytes(content)
    with pytest.raises(DataError, match="no whole archive of measurements"):
        archive.import_from(cache, file)
    with pytest.raises(DataError, match="No such file"):
        archive.import_from(cache, tmp_path / "nowhere.gz")


@pytest.mark.parametrize(
    ("options", "left"),
    [(["--older-than", "5"], [1, 3]), (["--tool-changed"], [1, 2]), (["--all"], []),
     (["--older-than", "5", "--tool-changed"], [1])],
)  # fmt: skip
def test_prune_removes_what_it_is_told_and_says_so(
    full: Cache, options: list[str], left: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    full.keep_log(digest(7), "a log")
    assert main(["cache", "prune", *options, "--cache", str(full.root)]) == 0
    printed = capsys.readouterr().out
    assert numbers(full) == left
    assert f"removed {3 - len(left)} measurements in all" in printed
    assert ("yosys 0.69 (native) for ecp5" in printed) == (3 not in left)
    assert not list(full.logs.iterdir())


def test_show_counts_by_tool_and_family(full: Cache, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "show", "--cache", str(full.root)]) == 0
    printed = capsys.readouterr().out
    assert f"{full.root}: 3 measurements" in printed
    assert [line.split("|")[1:4] for line in printed.splitlines() if "yosys" in line] == [
        [" yosys 0.69 (native) ", " ecp5   ", " 1            "],
        [f" {yosys.find().label.ljust(19)} ", " xc7    ", " 2            "],
    ]


def test_the_folder_is_chosen_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_root() == tmp_path / "hlsflow" / "measurements"
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mine"))
    assert default_root() == tmp_path / "mine"
    assert main(["cache", "show"]) == DataError.exit_code
    assert "there is no cache of measurements" in capsys.readouterr().err
    Cache(tmp_path / "mine", print)
    assert main(["cache", "show"]) == 0
    assert main(["cache", "prune"]) == 2
    assert "--older-than" in capsys.readouterr().err
