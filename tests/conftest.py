"""What several tests share: where optional reference data lies, and projects that train in a moment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hlsflow.keras import keras2  # noqa: F401  # sets TensorFlow's environment before any test module imports it

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = REPOSITORY.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Third-party data and reports beside the repository; tests that use them are skipped where they are absent."""
    if not SHARED.is_dir():
        pytest.skip(f"reference data is absent: {SHARED}")
    return SHARED


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--record-support", action="store_true", help="write what the conformance tests see (support.json)"
    )


@pytest.fixture(scope="session")
def seen(request: pytest.FixtureRequest) -> Iterator[dict[str, dict[str, str]]]:
    """Where tests of constructs put down what they saw (`tests.support.saw`); kept where that is asked for."""
    outcomes: dict[str, dict[str, str]] = {}
    yield outcomes
    if request.config.getoption("--record-support"):
        from tests import support  # which imports Keras

        support.keep(outcomes)
