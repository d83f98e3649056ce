"""One network, made smaller in every way: bits, distillation, pruning, shared weights; accuracy beside figures.

The float network of projects/mnist is trained once. Each row quantizes it to some bits and goes on training: plainly,
with the float network as its teacher, with 80 % of each kernel pruned (strategy `sparse`), or with each kernel's
weights clustered to 16 values, kept as they are or by number (knob `codebook`). Then the whole flow: QKeras =
C-simulation = oracle on the test set, oracle = RTL on 1,000 samples, Yosys. All at the reuse factor of
`--reuse-factor`. What is done is kept, so a run that was ended goes on.

Prints a Markdown table; rows come as they are done.

    scripts/bench_compress                          # the whole table
    scripts/bench_compress --bits 4 3 --ways plain  # a part of it
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hlsflow.core.errors import FlowError
from hlsflow.core.metrics import MetricSet, Stage
from hlsflow.hls.gate import Verdict
from hlsflow.pipeline.run import STEPS, TRANSLATE_STEPS, run
from hlsflow.project import Project, load, parse
from hlsflow.report.document import number
from hlsflow.report.markdown import table

PROJECT = Path(__file__).parents[1] / "projects" / "mnist"
FAMILY = "xc7"
SUMS = ("conv1", "conv2", "fc", "logits")
"""Layers with weights of the network; where they are pruned, they get the strategy that skips zeros."""

SPARSITY = 0.8
VALUES = 16
EPOCHS = 8
RATE = 0.002
WIDTHS: Mapping[str, dict[str, Any]] = {
    "8": {"bits": 8},
    "6": {"bits": 6, "lower": [8]},
    "4": {"bits": 4, "lower": [8, 6]},
    "3": {"bits": 3, "lower": [8, 6, 4]},
    "ternary": {"bits": 4, "kind": "ternary", "lower": [8, 6]},
    "binary": {"bits": 4, "kind": "binary", "lower": [8, 6]},
}
"""Name of a width → its [quantize] table; ternary and binary weights go with biases and activations of 4 bits."""

BY_NUMBER = "16 values, codebook"
WAYS: Mapping[str, dict[str, Any]] = {
    "plain": {},
    "distilled": {"distil": {}},
    "80 % pruned": {"prune": {"sparsity": SPARSITY}},
    "16 values": {"share": {"values": VALUES}},
    BY_NUMBER: {"share": {"values": VALUES}},
}
"""Name of a way → the tables that it adds to the project."""


@dataclass(frozen=True)
class Variant:
    """A row of the table."""

    bits: str
    way: str

    def why_not(self) -> str:
        """Why there is no such network; empty where there is one."""
        if self.bits == "binary" and self.way == "80 % pruned":
            return "a binary weight is never 0"
        if self.bits not in ("8", "6") and "16 values" in self.way:
            return "no more than 16 values anyway: as plain"
        return ""


def trained_float(project: Project, build: Path) -> tuple[Path, float]:
    """The trained float network's file, and its test accuracy."""
    alone = with_tables(project, {"model": {"baseline": project.model.baseline}, "quantize": {"epochs": 0}})
    results = run(alone, build, TRANSLATE_STEPS)
    assert results.trained is not None
    return results.trained.folder / "float.h5", value(results.metrics, "accuracy", Stage.FLOAT)


def with_tables(project: Project, tables: Mapping[str, Any]) -> Project:
    """The project with other tables."""
    values = project.model_dump(mode="json", exclude={"folder", "model_digest"}, exclude_none=True)
    values |= {"sweep": {}, "target": values["target"] | {"families": [FAMILY]}, **tables}
    values["target"].pop("route_part", None)
    return project.model_copy(update=dict(parse(values, project.name)))


def variant_of(project: Project, one: Variant, float_file: Path, reuse_factor: int) -> Project:
    """The project of a row."""
    values = project.model_dump(mode="json", include={"training", "knobs"}, exclude_none=True)
    knobs = values["knobs"]
    if "prune" in WAYS[one.way]:
        knobs["layers"] = {name: knobs["layers"].get(name, {}) | {"rtl": {"strategy": "sparse"}} for name in SUMS}
    knobs["codebook"] = one.way == BY_NUMBER
    tables = {
        "model": {"float_file": str(float_file.resolve())},
        "quantize": {"epochs": EPOCHS, "learning_rate": RATE, **WIDTHS[one.bits]},
        "training": values["training"],
        "knobs": knobs,
        "sweep": {"reuse_factor": [reuse_factor]},
        **WAYS[one.way],
    }
    return with_tables(project, tables)


def value(metrics: MetricSet, name: str, stage: Stage, target: str | None = None) -> float:
    """A figure that must be there."""
    found = metrics.get(name, stage, target) if target else metrics.get(name, stage)
    if found is None or found.value is None:
        raise FlowError(f"{name} of stage {stage} is missing", "see the messages above")
    return found.value


def row(one: Variant, project: Project, build: Path) -> list[str]:
    """The figures of a variant; the flow ends with an error where the gate does not pass."""
    results = run(project, build, STEPS)
    (point,) = results.points
    assert results.gate is not None
    if results.gate.verdict is not Verdict.EXACT:
        raise FlowError(f"{one.bits}, {one.way}: not bit-exact", "see the messages above")
    qat = value(results.metrics, "accuracy", Stage.QAT)
    latency = value(point.metrics, "latency_cycles", Stage.SIMULATED)
    cells = [number(value(point.metrics, name, Stage.SYNTH, FAMILY)) for name in ("lut", "ff", "dsp", "bram")]
    return [one.bits, one.way, f"{qat:.4f}", "equal", number(latency), *cells]


def rows(project: Project, build: Path, bits: list[str], ways: list[str], reuse_factor: int) -> Iterator[list[str]]:
    file, accuracy = trained_float(project, build)
    yield ["float", "plain", f"{accuracy:.4f}", "no hardware", *["none"] * 5]
    for way in ways:
        for width in bits:
            one = Variant(width, way)
            if one.why_not():
                yield [width, way, one.why_not(), *["none"] * 6]
            else:
                yield row(one, variant_of(project, one, file, reuse_factor), build)


HEAD = (
    "bits", "way", "test accuracy (qat)", "QKeras = csim = oracle = RTL", "latency (cycles, simulated)",
    "LUT (synth)", "FF (synth)", "DSP (synth)", "BRAM (synth)",
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--bits", nargs="+", choices=WIDTHS, default=list(WIDTHS))
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--reuse-factor", type=int, default=36)
    options = parser.parse_args()
    done: list[list[str]] = []
    try:
        for one in rows(load(PROJECT), options.build, options.bits, options.ways, options.reuse_factor):
            done.append(one)
            print("\t".join(one), flush=True)
    except FlowError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    finally:
        print(f"\n{table(HEAD, done)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
