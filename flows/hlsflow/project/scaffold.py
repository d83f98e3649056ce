"""`hlsflow new`: a project folder to start from.

In: the folder to make, and what is known of the samples. Out: its files, filled in from `templates/project/`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from string import Template

from hlsflow.core import templates
from hlsflow.core.errors import ProjectError, StorageError

FILES = ("project.toml", "model.py", "README.md")


@dataclass(frozen=True)
class Facts:
    """What a new project says of its samples.

    Attributes:
        source: the file.
        label: column of the class; None: its usual name.
        inputs, classes: values of a sample, and outputs of the network.
        precision: type of the input.
        standardize: whether each feature is brought to mean 0 and standard deviation 1.
        undivided: whether the file holds samples in one piece, so that a test set has to be split off.
    """

    source: str = "data.npz"
    label: str | None = None
    inputs: int = 16
    classes: int = 4
    precision: str = "fixed<8,3,RND,SAT>"
    standardize: bool = False
    undivided: bool = True

    def words(self, name: str) -> dict[str, object]:
        """Placeholders of the templates, and what stands for them."""
        label = f"label = {json.dumps(self.label)}\n" if self.label else ""
        standardize = (
            "standardize = true   # each feature to mean 0 and standard deviation 1\n" if self.standardize else ""
        )
        return {
            "name": name,
            "source": json.dumps(self.source),
            "more": label + standardize,
            "test": "test = 0.2" if self.undivided else "# test = 0.2",
            "precision": self.precision,
            "inputs": self.inputs,
            "classes": self.classes,
        }


def scaffold(folder: Path, facts: Facts | None = None) -> tuple[Path, ...]:
    """Make a project folder named after its last part.

    Args:
        folder: to make.
        facts: of its samples; by default those of an example.
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
    words = (facts or Facts()).words(name)
    try:
        folder.mkdir(parents=True)
        for file in FILES:
            text = Template(templates.read(f"project/{file}")).substitute(words)
            (folder / file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"cannot write {folder}: {error.strerror}", "make room or correct the permissions"
        ) from error
    return tuple(folder / file for file in FILES)
