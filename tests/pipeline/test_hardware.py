"""What is said of designs that are too slow for their clock: once for all of a family, by the slowest path."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from hlsflow.core.progress import Progress
from hlsflow.pipeline.hardware import pixels_of, say_slow
from hlsflow.pipeline.software import hls_knobs
from hlsflow.project import LayerKnobs
from hlsflow.rtl import Pixels, delay
from tests.qat.qat_project import small_project

SAID = "xc7 cannot run at 5 ns by the delay model: adders takes 7.5 ns, 50% more than the clock asked for\n"


@pytest.mark.parametrize(("times", "said"), [((6.0, 7.5, 7.0), SAID), ((4.0, 5.0), "")])
def test_a_clock_that_is_too_fast_is_said_once(times: tuple[float, ...], said: str, tmp_path: Path) -> None:
    project, stream = small_project(tmp_path, 1), io.StringIO()
    target = project.target.model_copy(update={"families": ("xc7",), "route_part": None, "clock_ns": 5.0})
    paths = [delay.Path("adders", ns) for ns in times]
    say_slow(project.model_copy(update={"target": target}), paths, Progress(stream))
    assert stream.getvalue() == said


def test_pixels_at_a_time_are_for_the_rtl_alone(tmp_path: Path) -> None:
    project = small_project(tmp_path, 1)
    assert pixels_of(project.knobs) == Pixels()
    plain = project.knobs.model_copy(update={"layers": {"conv": LayerKnobs(), "pool": LayerKnobs(reuse_factor=3)}})
    layers = {"conv": LayerKnobs(parallel_pixels=2), "pool": LayerKnobs(reuse_factor=3)}
    knobs = project.knobs.model_copy(update={"parallel_pixels": 4, "layers": layers})
    assert pixels_of(knobs) == Pixels(4, {"conv": 2})
    asked, before = (project.model_copy(update={"knobs": each}) for each in (knobs, plain))
    assert hls_knobs(asked) == hls_knobs(before)
