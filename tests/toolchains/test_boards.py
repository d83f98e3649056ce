"""Boards and parts: what they say of the target, and names that are none."""

from __future__ import annotations

import pytest

from hlsflow.core.errors import ProjectError
from hlsflow.project.target import Target
from hlsflow.toolchains import boards


@pytest.mark.parametrize("board", boards.BOARDS)
def test_every_board_makes_a_target(board: str) -> None:
    part = boards.part_of(board)
    made = Target.model_validate(boards.target(part))
    assert part in (made.part, made.route_part)


def test_a_part_decides_its_family() -> None:
    assert boards.target("xc7a35tcpg236-1") == {"part": "xc7a35tcpg236-1", "families": ["xc7"]}
    assert boards.target("xcku5p-ffvb676-2-e")["families"] == ["xcup"]
    assert boards.target("LFE5U-25F-6BG256C") == {"families": ["ecp5"], "route_part": "LFE5U-25F-6BG256C"}


def test_a_wrong_name_says_what_there_is() -> None:
    with pytest.raises(ProjectError, match="did you mean arty-a7-35"):
        boards.part_of("arty-a7")
    with pytest.raises(ProjectError, match="neither an ECP5"):
        boards.target("EP4CE22")
    with pytest.raises(ProjectError):
        boards.target("LFE5U-45")
