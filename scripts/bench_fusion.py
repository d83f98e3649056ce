"""What a second input is worth: projects/fusion trained with its image alone, its vector alone, and with both.

The same networks but for what they read, the same training and the same samples, on several splits of the data (1 is
that of the project). Prints a Markdown table of test accuracies, float / quantized; rows come as they are done.

    scripts/bench_fusion                                # splits 0 to 4
    scripts/bench_fusion --splits 1 --width 64          # that of the project, with 64 neurons a layer
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from hlsflow.core.errors import FlowError
from hlsflow.core.metrics import Stage
from hlsflow.pipeline import software
from hlsflow.pipeline.run import run
from hlsflow.project import Project, load
from hlsflow.report.markdown import table

PROJECT = Path(__file__).parents[1] / "projects" / "fusion"
VIEWS = ("image", "vector", "both")
"""Values of the networks' argument `sees`."""

STAGES = (Stage.FLOAT, Stage.QAT)


def variant(project: Project, sees: str, split: int, width: int) -> Project:
    """The project with networks that read so much, on another split of the samples."""
    model = project.model.model_copy(update={"arguments": {"sees": sees, "width": width}})
    return project.model_copy(
        update={"model": model, "data": project.data.model_copy(update={"seed": split})},
    )


def accuracies(project: Project, build: Path) -> list[float]:
    """Test accuracies, float and quantized."""
    metrics = run(project, build, (software.train,)).metrics
    found = [metrics.get("accuracy", stage) for stage in STAGES]
    return [one.value for one in found if one is not None and one.value is not None]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--splits", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--width", type=int, default=32)
    options = parser.parse_args()
    project, rows, found = load(PROJECT), [], []
    try:
        for split in options.splits:
            of_split = [accuracies(variant(project, sees, split, options.width), options.build) for sees in VIEWS]
            found.append(of_split)
            rows.append([str(split), *(_pair(values) for values in of_split)])
            print("\t".join(rows[-1]), flush=True)
    except FlowError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    rows.append(["mean", *(_pair(values) for values in np.mean(found, axis=0))])
    print(f"\n{table(('split', *VIEWS), rows)}")
    return 0


def _pair(values: list[float]) -> str:
    return " / ".join(f"{value:.4f}" for value in values)


if __name__ == "__main__":
    sys.exit(main())
