"""Finds the text files of `templates/`, in an installed wheel and in a checkout alike.

A wheel carries them as `flows/hlsflow/_templates/`; an editable install or a checkout has them in `templates/` beside
`flows/hlsflow/`. In: a name such as `rtl/dense.v`. Out: the path or the text.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from hlsflow.core.errors import FlowError

_PACKAGE = Path(__file__).parents[1]


@lru_cache(maxsize=1)
def root() -> Path:
    """The folder that holds the templates.

    Raises:
        FlowError: the installation is incomplete.
    """
    for folder in (_PACKAGE / "_templates", _PACKAGE.parents[1] / "templates"):
        if folder.is_dir():
            return folder
    raise FlowError("the templates of hlsflow are missing from this installation", "install hlsflow again")


def path(name: str) -> Path:
    """The file of that name; raises FlowError when there is none."""
    file = root() / name
    if not file.is_file():
        raise FlowError(f"template '{name}' is missing from {root()}", "install hlsflow again")
    return file


def read(name: str) -> str:
    """The text of a template."""
    return path(name).read_text(encoding="utf-8")
