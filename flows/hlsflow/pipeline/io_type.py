"""Which io type a trained model of somebody else's gets, where nobody has chosen one.

In: the project around a model file. Out: the same, or with io_stream and strategy `resource`, where the C++ of
io_parallel would take minutes to compile. What the model's size is stays in the store, so that it is read once.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from hlsflow.core.store import Store, code
from hlsflow.project import Project

SIZE = "size.json"


def settled_io(project: Project, build: Path, say: Callable[[str], None]) -> Project:
    """The project with the io type that its model asks for.

    Args:
        project: around a model file, io type and strategy at their defaults.
        build: folder of all results.
        say: where the change is told.
    Raises:
        ModelError: the model cannot be read.
    """
    from hlsflow.hls.size import PARALLEL

    key = {"model": project.model_digest, "allow_lambda": project.model.allow_lambda}
    key["code"] = code("keras", "hls/size.py", "qat/load.py", "qat/inference.py")
    finished = Store(build / project.name / "store", say).do("size", key, lambda folder: _measure(folder, project))
    count = json.loads((finished.folder / SIZE).read_text(encoding="utf-8"))
    if count <= PARALLEL:
        return project
    say(
        f"io_stream and strategy resource: the windows of all convolutions have {count:,} values, and the C++ of "
        f"io_parallel takes minutes to compile from {PARALLEL:,} on (--io-type io_parallel asks for it all the same)"
    )
    target = project.target.model_copy(update={"io_type": "io_stream"})
    return project.model_copy(
        update={"target": target, "knobs": project.knobs.model_copy(update={"strategy": "resource"})}
    )


def _measure(folder: Path, project: Project) -> None:
    from hlsflow.hls.size import named_values
    from hlsflow.qat import load_model

    model = load_model(project.model_path, allow_lambda=project.model.allow_lambda)
    (folder / SIZE).write_text(json.dumps(named_values(model)), encoding="utf-8")
