"""What several tests share: the order of files, where optional reference data lies, what constructs were seen to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hlsflow.keras import keras2  # noqa: F401  # sets TensorFlow's environment before any test module imports it

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = REPOSITORY.parent / "shared"
LONGEST = (
    "test_conformance.py",
    "test_docs.py",
    "pipeline/test_pipeline.py",
    "qat/test_devices.py",
    "qat/test_anomaly.py",
    "rtl/test_adder_graph.py",
    "keras/test_inputs.py",
    "hls/test_gate.py",
    "pipeline/test_tasks.py",
    "toolchains/test_yosys.py",
    "test_wheel.py",
)
"""Files that take longest, which are begun first, so that both workers end at the same time."""


@pytest.fixture(scope="session")
def shared() -> Path:
    """Third-party data and reports beside the repository; tests that use them are skipped where they are absent."""
    if not SHARED.is_dir():
        pytest.skip(f"reference data is absent: {SHARED}")
    return SHARED


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {f"tests/{name}": number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.location[0], len(place)))


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
