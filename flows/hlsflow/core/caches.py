"""Where hlsflow keeps what all runs and projects of a user can use again.

In: the environment. Out: folders, which may be deleted at any time.
"""

from __future__ import annotations

import os
from pathlib import Path

DATA_VARIABLE = "HLSFLOW_DATA"
"""The environment variable that names another folder for samples."""


def cache_folder() -> Path:
    """hlsflow's part of the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "hlsflow"


def data_folder() -> Path:
    """Of downloaded and prepared samples: the folder that `HLSFLOW_DATA` names, or `data` in `cache_folder()`."""
    return Path(os.environ.get(DATA_VARIABLE) or cache_folder() / "data")
