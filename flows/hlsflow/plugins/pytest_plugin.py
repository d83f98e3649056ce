"""The pytest plug-in: the fixture `assert_bit_exact`, in every repository where hlsflow is installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def assert_bit_exact(tmp_path: Path) -> Callable[..., Any]:
    """`hlsflow.plugins.testing.assert_bit_exact`, with the HLS project in the test's own folder."""
    from functools import partial

    from hlsflow.plugins.testing import assert_bit_exact

    return partial(assert_bit_exact, folder=tmp_path)
