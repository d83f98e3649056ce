"""The trade-off search on a vendor's measurements: csynth of every layer in every way that hls4ml can build it.

In: a project, its trained model and graph. Out: answers like those about the open RTL (`hlsflow.explore.study`), of
stage `hls`. Each layer with weights becomes an hls4ml project for each legal reuse factor and strategy. All of them are
synthesized, so no bounds are needed; what was done once is kept in the project's store.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hlsflow.core.choices import Strategy
from hlsflow.core.errors import ProjectError, ToolFailed
from hlsflow.core.metrics import Metric, MetricSet
from hlsflow.core.store import Done, code, file_digest
from hlsflow.explore import choice
from hlsflow.explore.choice import AREA, Assignment, Choices, Column, Problem
from hlsflow.explore.figures import II, LATENCY
from hlsflow.explore.infeasible import explain
from hlsflow.explore.precision import Scores
from hlsflow.explore.search import Answer, Effort, Question, solved
from hlsflow.explore.solver import Solution, Solver
from hlsflow.explore.study import Confirmation
from hlsflow.hls.segments import ALTERNATIVE, SUMS, Segment, segments
from hlsflow.hls.translate import Settings, translate
from hlsflow.ir import Fixed, Graph, Node, Op
from hlsflow.pipeline.context import Context, metrics_in, parallel, versions, write_metrics
from hlsflow.pipeline.hardware import TEMPLATES, csynth, csynth_code
from hlsflow.pipeline.software import READING, hls_knobs
from hlsflow.project import Knobs, LayerKnobs, Project
from hlsflow.project.reuse import STRATEGIES, legal_reuse_factors
from hlsflow.rtl import knobs as rtl
from hlsflow.toolchains import scripts
from hlsflow.toolchains.chain import Step, Toolchain, log_of
from hlsflow.toolchains.chains import installed

Figures = Mapping[str, int]

WANTED = (*AREA, LATENCY, II)
LOG, REPORT = "csynth.log", "csynth.xml"
WRITING = (*READING, "hls", "ir", "qat", "data", "project", "explore/hls_engine.py")
"""Our own code that an hls4ml project depends on."""


@dataclass(frozen=True)
class Build:
    """One way in which hls4ml builds a layer.

    Attributes:
        bits: of its weights.
        multipliers: ceil(products of one matrix / reuse factor).
    """

    layer: str
    reuse_factor: int
    strategy: str
    bits: int
    multipliers: int

    @property
    def label(self) -> str:
        return f"layer '{self.layer}' (R{self.reuse_factor}, {self.strategy})"

    @property
    def cell(self) -> str:
        """For tables."""
        return f"R{self.reuse_factor} {self.strategy} {self.bits}b"

    def to_json(self) -> dict[str, int | str]:
        """Its knobs."""
        knobs = {key: value for key, value in asdict(self).items() if key not in ("layer", "bits")}
        return knobs | {"weight_bits": self.bits}

    def in_rtl(self, project: Project) -> rtl.LayerKnobs:
        """The same for the open RTL, which has more knobs: those are the project's."""
        own = project.knobs.of(self.layer)
        kinds = own.multiplier, Strategy(self.strategy), own.weights_in
        return rtl.LayerKnobs(self.reuse_factor, *kinds, own.codebook)


@dataclass(frozen=True, eq=False)
class _Job:
    """An hls4ml project to write and to synthesize; `segment` None: the whole network."""

    label: str
    model: Any
    feed: Fixed
    knobs: Knobs
    segment: Segment | None = None


def builds(project: Project, graph: Graph) -> dict[str, tuple[Build, ...]]:
    """Layer with weights → all that [explore] asks for and hls4ml has; in order of the graph.

    Raises:
        ProjectError: hls4ml has none of the strategies.
    """
    wanted = [strategy for strategy in project.explore.strategy if strategy in STRATEGIES]
    if not wanted:
        message = f"hls4ml has no strategy {', '.join(project.explore.strategy)}"
        raise ProjectError(message, f"set explore.strategy to some of {', '.join(STRATEGIES)}, or use --engine open")
    flat = project.target.io_type == "io_parallel"  # of depthwise layers hls4ml has one kind then
    return {
        node.name: tuple(_builds(node, ["latency"] if flat and node.op is Op.DEPTHWISE else wanted))
        for node in graph.nodes
        if node.op in SUMS
    }


def _builds(node: Node, strategies: Sequence[str]) -> Iterator[Build]:
    weight = node.params["weight"].shape
    n_in, n_out = math.prod(weight[: 3 if node.op is Op.DEPTHWISE else -1]), weight[-1]
    bits, products = node.types["weight"].width, math.prod(weight)
    for strategy in strategies:
        for factor in legal_reuse_factors(n_in, n_out, strategy):
            yield Build(node.name, factor, strategy, bits, math.ceil(products / factor))


class VendorStudy:
    """A network under study; all of its layers are measured when it is made.

    Args:
        context: project, store, who is told, and how many syntheses run at once.
        model: file of the trained model.
        graph: what it translates to.
    Attributes:
        problem: what to choose from: each layer a unit of its own, nothing around the layers.
        layers: layer → its configurations with all figures.
        unknown: configurations left out, as csynth cannot tell a figure of theirs.
        tool, part: as the reports have them.
    Raises:
        ProjectError: no strategy asked for is hls4ml's. ToolMissing: Vitis HLS is not there.
        UnsupportedLayer: a layer cannot be measured on its own.
        ToolFailed: csynth of a layer failed, or tells all figures in no configuration.
    """

    scores: Scores | None = None
    """Weights keep their widths here."""

    def __init__(self, context: Context, model: Path, graph: Graph) -> None:
        from hlsflow.keras.plain import plain
        from hlsflow.qat import load_model

        self._context, self.graph, self._digest = context, graph, file_digest(model)
        self._chain = installed(context.project.target.backend, Step.CSYNTH)
        tried = builds(context.project, graph)
        self._model = plain(load_model(model, allow_lambda=context.project.model.allow_lambda)).model
        self._segments = segments(self._model, graph)
        every = [build for ones in tried.values() for build in ones]
        measured = self._measured([self._job(build) for build in every])
        self.tool, self.part = next((f"{figure.tool} {figure.version}", figure.target) for figure in measured[0])
        self._figures = {
            build: figures for build, each in zip(every, measured, strict=True) if (figures := _complete(each))
        }
        self.unknown = [build for build in every if build not in self._figures]
        self.layers = {name: tuple(build for build in ones if build in self._figures) for name, ones in tried.items()}
        for name, ones in self.layers.items():
            if not ones:
                raise ToolFailed(f"csynth tells latency and II of layer '{name}' in no configuration", ALTERNATIVE)
        self.problem = self._problem()

    def chosen(self, assignment: Assignment) -> dict[str, Build]:
        """Layer → its configuration."""
        picked = zip(self.layers.items(), assignment, strict=True)
        return {name: ones[index] for (name, ones), index in picked}

    def answer(self, question: Question) -> Answer:
        """The optimum or the front.

        Raises:
            Infeasible: no design keeps the limits.
        """
        solver = Solver(self.problem)
        front = solved(question, solver)
        if not front.solutions:
            raise explain(self.problem, question.limits, solver)
        sizes = [len(ones) for ones in self.layers.values()]
        effort = Effort(sum(sizes), math.prod(sizes), sum(sizes), 1, solver.solves, tested=0, broken=0)
        return Answer(front.solutions, front.complete, effort)

    def confirm(self, solutions: Sequence[Solution]) -> list[Confirmation]:
        """Synthesize designs whole, and compare; figures that csynth cannot tell are absent. Raises FlowError."""
        jobs = [self._whole(number, solution) for number, solution in enumerate(solutions, 1)]
        wholes = [_known(figures) for figures in self._measured(jobs)]
        sums = [{name: solution.figures[name] for name in WANTED} for solution in solutions]
        return [Confirmation(*row) for row in zip(solutions, sums, wholes, strict=True)]

    def path(self, assignment: Assignment) -> choice.Path:
        """The slowest chain of layers from an input to a result."""
        reach: list[tuple[int, tuple[int, ...]]] = []
        for number, (segment, layer) in enumerate(zip(self._segments, self.problem.layers, strict=True)):
            cycles, chain = (0, ()) if segment.parent is None else reach[segment.parent]
            reach.append((cycles + int(layer.latency[assignment[number]]), (*chain, number)))
        longest = max(reach)[1]
        return choice.Path(0, tuple(int(number in longest) for number in range(len(reach))), {})

    def _problem(self) -> Problem:
        layers = tuple(self._choices(number, *item) for number, item in enumerate(self.layers.items()))
        return Problem(layers, dict.fromkeys(AREA, 0), 1, self.path)

    def _choices(self, number: int, name: str, ones: Sequence[Build]) -> Choices:
        def column(metric: str) -> Column:
            return np.asarray([self._figures[build][metric] for build in ones], np.int64)

        return Choices(
            layer=name,
            unit=number,
            area={metric: column(metric) for metric in AREA},
            measured=np.ones(len(ones), np.bool_),
            latency=column(LATENCY),
            interval=np.zeros(len(ones), np.int64),
            period=column(II),
            bits=np.asarray([build.bits for build in ones]),
        )

    def _job(self, build: Build) -> _Job:
        (segment,) = (segment for segment in self._segments if segment.layer == build.layer)
        names = {layer.name for layer in segment.model.layers}
        knobs = _knobs(self._context.project, {build.layer: build}, names)
        return _Job(build.label, segment.model, segment.feed, knobs, segment)

    def _whole(self, number: int, solution: Solution) -> _Job:
        project = self._context.project
        knobs = _knobs(project, self.chosen(solution.assignment), set(project.knobs.layers))
        return _Job(f"whole design {number}", self._model, project.input.precision, knobs)

    def _measured(self, jobs: Sequence[_Job]) -> list[MetricSet]:
        progress = self._context.progress
        with progress.track("hls4ml project", len(jobs)) as advance:
            written = []
            for job in jobs:  # one after the other: Keras and hls4ml share state between threads
                written.append(self._written(job))
                advance(job.label)
        with progress.track("csynth", len(jobs)) as advance:

            def measure(task: tuple[_Job, Done]) -> MetricSet:
                figures = self._csynth(*task)
                advance(task[0].label)
                return figures

            return parallel(self._context, measure, list(zip(jobs, written, strict=True)))

    def _written(self, job: _Job) -> Done:
        project = self._context.project
        key = {
            "model": self._digest,
            "graph": self.graph.digest(),
            "layer": job.segment.layer if job.segment else None,
            "knobs": hls_knobs(project.model_copy(update={"knobs": job.knobs})),
            "target": project.target.model_dump(include={"backend", "part", "clock_ns", "io_type"}),
            "packages": versions("tensorflow", "tf_keras", "qkeras", "hls4ml", "numpy"),
            "code": code(*WRITING),
        }

        def work(folder: Path) -> None:
            translation = translate(job.model, Settings(job.feed, project.target, job.knobs), folder / "hls")
            if job.segment:
                job.segment.require_same(translation.graph)

        return self._context.store.do("explore_hls", key, work)

    def _csynth(self, job: _Job, written: Done) -> MetricSet:
        """The figures of a project; of the synthesis only log and report are kept, as there are many."""
        overrides = self._context.project.folder / TEMPLATES
        key = {
            "hls": written.digest("hls"),
            "tool": self._chain.find().identity,
            "templates": scripts.own(overrides),
            "code": [csynth_code(self._chain), code("explore/hls_engine.py")],
        }

        def work(folder: Path) -> None:
            _synthesize(self._chain, job.label, written, overrides, folder)

        synthesized = self._context.store.do("explore_csynth", key, work)
        return metrics_in(synthesized, synthesized.folder.name)


def _synthesize(chain: Toolchain, label: str, written: Done, overrides: Path, folder: Path) -> None:
    place = folder / "hls"
    shutil.copytree(written.folder / "hls", place)
    try:
        outcome = csynth(chain, place, overrides)
    except ToolFailed as error:
        raise ToolFailed(f"{label}: {error.message}", error.hint) from error
    (report,) = outcome.reports
    figures = MetricSet(tuple(replace(figure, source=f"{REPORT}:{_line(figure)}") for figure in outcome.metrics))
    report.file.rename(folder / REPORT)
    (place / log_of(chain.name, Step.CSYNTH)).rename(folder / LOG)
    shutil.rmtree(place)
    write_metrics(folder, figures)


def _line(figure: Metric) -> str:
    """The line of its report on which a figure stands."""
    return figure.source.rpartition(":")[2]


def _known(figures: MetricSet) -> Figures:
    return {figure.name: int(figure.value) for figure in figures if figure.value is not None and figure.name in WANTED}


def _complete(figures: MetricSet) -> Figures | None:
    """All figures, or nothing."""
    figures_wanted = _known(figures)
    return figures_wanted if figures_wanted.keys() >= set(WANTED) else None


def _knobs(project: Project, chosen: Mapping[str, Build], names: set[str]) -> Knobs:
    """The project's knobs of the layers named, with other reuse factors and strategies."""
    own_knobs = {name: own for name, own in project.knobs.layers.items() if name in names}
    asked = {
        name: own_knobs.get(name, LayerKnobs()).model_copy(
            update={"reuse_factor": build.reuse_factor, "strategy": build.strategy}
        )
        for name, build in chosen.items()
    }
    return project.knobs.model_copy(update={"reuse_factor": 1, "layers": own_knobs | asked})
