"""The tables of docs/figures: each says how it was measured, and a command that runs again replaces its own alone."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from scripts import figures

PAGE = """# Two tables

<!-- figures: echo "progress\n| a |\n|---|\n| 1 |" -->

`echo`, 2026-01-01, not run again since.

| a |

<!-- end -->
Words between them.

<!-- figures: false | timed -->

`false`, 2026-01-02.

<!-- end -->
"""


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(figures, "PAGES", tmp_path)
    file = tmp_path / "two.md"
    file.write_text(PAGE.replace("\\n", "\n"))
    return file


def test_every_table_has_its_command_and_its_date() -> None:
    tables = list(figures.figures())
    assert len(tables) >= 8
    for one in tables:
        assert f"`{one.command}`, {one.measured}" in one.text, one.page
        assert (figures.ROOT / one.command.split()[0]).is_file()


def test_a_command_replaces_its_own_table(page: Path) -> None:
    first, second = figures.figures()
    assert (first.measured, second.measured) == ("2026-01-01", "2026-01-02")
    assert (first.timed, second.timed) == (False, True)
    assert figures.renew(first)
    new, same = figures.figures()
    assert same == second
    assert new.measured == str(datetime.date.today())
    assert new.text.endswith("\n\n| a |\n|---|\n| 1 |\n\n")
    assert "Words between them." in page.read_text()


def test_a_command_that_fails_leaves_its_table(page: Path) -> None:
    before = page.read_text()
    assert not figures.renew(list(figures.figures())[1])
    assert page.read_text() == before
