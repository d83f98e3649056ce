"""`hlsflow new`: a project folder to start from.

In: the folder to make. Out: its files, filled in from `templates/project/`.
"""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from hlsflow.core import templates
from hlsflow.core.errors import ProjectError, StorageError

FILES = ("project.toml", "model.py", "README.md")


def scaffold(folder: Path) -> tuple[Path, ...]:
    """Make a project folder named after its last part.

    Raises:
        ProjectError: the name is no project name, or the folder is there already.
        StorageError: it cannot be written.
    """
    name = folder.name
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ProjectError(
            f"'{name}' is no project name", "use lower-case letters, digits and _, such as projects/mine"
        )
    if folder.exists():
        raise ProjectError(f"{folder} is there already", "choose another name, or remove it")
    try:
        folder.mkdir(parents=True)
        for file in FILES:
            text = Template(templates.read(f"project/{file}")).substitute(name=name)
            (folder / file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"cannot write {folder}: {error.strerror}", "make room or correct the permissions"
        ) from error
    return tuple(folder / file for file in FILES)
