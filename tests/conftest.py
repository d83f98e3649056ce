"""What several tests share: where optional reference data lies, and projects that train in a moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from hlsflow.keras import keras2  # sets TensorFlow's environment before any test module imports it

keras2.ready()

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = REPOSITORY.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Third-party data and reports beside the repository; tests that use them are skipped where they are absent."""
    if not SHARED.is_dir():
        pytest.skip(f"reference data is absent: {SHARED}")
    return SHARED
