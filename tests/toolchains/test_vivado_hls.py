"""Which releases of Vivado HLS are taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from hlsflow.core.errors import ToolMissing
from hlsflow.toolchains import vivado_hls
from tests.toolchains.standins import install


@pytest.mark.parametrize("version", ["2018.1", "2019.2", "2020.1"])
def test_releases_that_hls4ml_was_written_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str) -> None:
    install(monkeypatch, tmp_path, "vivado_hls", version)
    assert vivado_hls.CHAIN.find().label == f"Vivado HLS {version} (native)"


@pytest.mark.parametrize("version", ["2017.4", "2021.1"])
def test_other_releases_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str) -> None:
    install(monkeypatch, tmp_path, "vivado_hls", version)
    with pytest.raises(ToolMissing, match=f"is of {version}") as caught:
        vivado_hls.CHAIN.find()
    assert "Vitis HLS" in caught.value.hint
