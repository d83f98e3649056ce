"""The hardware: Verilog for each reuse factor, its simulation against the oracle, its synthesis and routing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hlsflow.core import templates
from hlsflow.core.choices import Family, Multiplier
from hlsflow.core.errors import FlowError, ProjectError, ToolMissing
from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.core.progress import Progress
from hlsflow.core.store import Done, code, digest
from hlsflow.estimate import hls4ml_project
from hlsflow.estimate.preflight import check, require
from hlsflow.hls import gate as gating
from hlsflow.hls.gate import Gate
from hlsflow.ir import Graph, Node, evaluate
from hlsflow.ir.fixed import Array
from hlsflow.ir.graph import side_by_side
from hlsflow.pipeline.context import (
    Context,
    Point,
    Results,
    Samples,
    below,
    judged,
    layers_in,
    metrics_in,
    parallel,
    write_layers,
    write_metrics,
)
from hlsflow.project import Knobs, Project, ResolvedKnobs
from hlsflow.rtl import delay
from hlsflow.rtl.axis import axis_top
from hlsflow.rtl.cores import WITH_KNOBS
from hlsflow.rtl.emit import Design, emit, for_family
from hlsflow.rtl.knobs import LayerKnobs, Pipeline, Pixels
from hlsflow.rtl.schedule import Schedule, schedule
from hlsflow.rtl.simulate import Simulation, simulate
from hlsflow.rtl.testbench import testbench
from hlsflow.toolchains import drive, gxx, nextpnr, process, scripts, verilator, yosys
from hlsflow.toolchains.chain import Settings, Step, Toolchain
from hlsflow.toolchains.chains import installed

SOURCES = ("pipeline/hardware.py", "pipeline/context.py", "core/tasks.py", "core/metrics.py")
"""Our own code that makes figures of what any tool says."""

SIMULATION = ("rtl/simulate.py", "toolchains/verilator.py", "hls/gate.py", "ir", "templates/sim", "templates/tools")
"""Our own code that a simulation's result depends on besides."""

TESTBENCH_SAMPLES = 10
"""Samples in the testbench that is written beside the RTL; `rtlsim` simulates as many as the gate asks for."""

SYNTH_TIMEOUT_S = 3600.0
ROUTE_TIMEOUT_S = 3600.0
CSYNTH_TIMEOUT_S = 6 * 3600.0
GATE = "gate.json"
"""Where a simulation keeps its verdict."""
TEMPLATES = "templates"
"""Folder of a project whose files take the place of hlsflow's own templates."""


def rtl(context: Context, results: Results) -> Results:
    """Verilog for each reuse factor of the sweep, with AXI4-Stream ports to choose and a testbench."""
    assert results.translated is not None
    translated = results.translated
    graph, samples = Graph.load(translated.folder / "graph.npz"), Samples.load(translated.folder)
    bench = samples.x[:TESTBENCH_SAMPLES], evaluate(graph, samples.x[:TESTBENCH_SAMPLES])
    made = [_emit_point(context, graph, factor, bench) for factor in context.project.reuse_factors]
    points = tuple(point for point, _ in made)
    say_slow(context.project, [path for _, path in made], context.progress)
    return results.with_work(*(point.rtl for point in points), points=points)


def _emit_point(
    context: Context, graph: Graph, reuse_factor: int, bench: tuple[Array, Array]
) -> tuple[Point, delay.Path]:
    """A point, and the slowest path of its pipeline."""
    knobs = context.project.at(reuse_factor).knobs
    default = layer_knobs(knobs)
    names = [node.name for node in graph.nodes if node.op in WITH_KNOBS and node.name in knobs.layers]
    own = {name: layer_knobs(knobs.of(name).in_rtl) for name in names}
    io, pixels = context.project.target.io_type, pixels_of(knobs)
    plan = schedule(graph, own, default, io=io, pixels=pixels)
    pipeline, slowest_path = pipeline_of(context.project, default.multiplier, plan)
    plan = plan if pipeline == Pipeline() else schedule(graph, own, default, pipeline, io, pixels)
    design = emit(plan, prefix=context.project.target.prefix or "")
    planned = plan.to_json()
    around = axis_top(design) | testbench(design, *bench) | _of_families(design, context.project.target.families)
    key = {"design": design.digest(), "schedule": planned, "around": digest(sorted(around.items()))}

    def work(folder: Path) -> None:
        process.write_files(folder, {**design.files, **around})
        (folder / "schedule.json").write_text(json.dumps(planned, indent=1), encoding="utf-8")

    return Point(reuse_factor, plan, design, context.do("rtl", f"R{reuse_factor}", key, work)), slowest_path


def _of_families(design: Design, families: Sequence[Family]) -> dict[str, str]:
    """What takes the place of files of the design on a family, each in a folder of its name."""
    return {
        f"{family.value}/{name}": text
        for family in families
        for name, text in for_family(design.files, family, design.prefix).items()
        if text != design.files[name]
    }


def pipeline_of(project: Project, multiplier: Multiplier, shallow: Schedule) -> tuple[Pipeline, delay.Path]:
    """As given, or as deep as the clock asks for on the family that it is timed for; and its slowest path there."""
    target, family = project.target, _timed_family(project)
    kind = Multiplier.LUT if multiplier is Multiplier.LUT else Multiplier.DSP
    widths = delay.widths_of(shallow)
    by_hand = project.knobs.pipeline
    pipeline = Pipeline(**dict(by_hand)) if by_hand else delay.pipeline_for(target.clock_ns, family, kind, widths)
    return pipeline, delay.slowest(pipeline, family, kind, widths)


def _timed_family(project: Project) -> Family:
    """The family that is routed, or else the first one."""
    return Family.ECP5 if project.target.route_part else project.target.families[0]


def say_slow(project: Project, paths: Iterable[delay.Path], progress: Progress) -> None:
    """Say of all designs together that the family cannot have the clock, by their slowest path."""
    path, clock_ns = max(paths, key=lambda path: path.ns), project.target.clock_ns
    if path.ns > clock_ns:
        slow = f"{path.what} takes {path.ns:.1f} ns, {path.ns / clock_ns - 1:.0%} more than the clock asked for"
        progress.say(f"{_timed_family(project)} cannot run at {clock_ns:g} ns by the delay model: {slow}")


def layer_knobs(knobs: Knobs | ResolvedKnobs) -> LayerKnobs:
    return LayerKnobs(knobs.reuse_factor, knobs.multiplier, knobs.strategy, knobs.weights_in, knobs.codebook)


def pixels_of(knobs: Knobs) -> Pixels:
    return Pixels(knobs.parallel_pixels, knobs.own_pixels)


def rtlsim(context: Context, results: Results) -> Results:
    """Verilator runs of every point: oracle = RTL, measured latency and initiation interval = predicted ones."""
    assert results.translated is not None
    translated = results.translated
    key = {
        "inputs": translated.digest("graph.npz", "samples.npz"),
        "vectors": context.project.gate.vectors,
        "clock_ns": context.project.target.clock_ns,
        "tools": [*verilator.find().identity, *gxx.identity()],
        "code": code(*SIMULATION, *SOURCES),
    }

    def simulated(point: Point) -> tuple[Point, Done]:
        own = key | {"design": point.design.digest()}
        finished = context.do(
            "rtlsim", point.name, own, lambda folder: _simulate_into(folder, context, translated, point)
        )
        figures = metrics_in(finished, f"rtlsim/{point.name}")
        return replace(point, gate=gate_in(finished), metrics=point.metrics + figures), finished

    pairs = parallel(context, simulated, results.points)
    gate = results.gate
    for point, _ in pairs:
        assert point.gate is not None and gate is not None
        gate = gating.joined(gate, point.gate)
    return results.with_work(*(finished for _, finished in pairs), points=tuple(point for point, _ in pairs), gate=gate)


def _simulate_into(folder: Path, context: Context, translated: Done, point: Point) -> None:
    graph = Graph.load(translated.folder / "graph.npz")
    samples = Samples.load(translated.folder)
    x = vectors(graph, samples.x, context.project.gate.vectors)
    ran = simulate(point.design, x, folder)
    prove(point, f"rtl {point.name}", ran, evaluate(graph, x), folder)
    cycles = {"latency_cycles": ran.latency_cycles, "ii": ran.ii, "cycles": ran.cycles}
    (folder / "simulation.json").write_text(json.dumps(cycles | {"samples_under_back_pressure": ran.stalled}, indent=1))
    write_metrics(folder, _simulated(ran, samples, graph.results[0], context.project.target.clock_ns))


def prove(point: Point, name: str, ran: Simulation, wanted: Array, folder: Path) -> None:
    """Oracle = what ran, `name`, in as many cycles as the schedule predicts; the verdict goes into the folder."""
    compared = gating.compare_codes("oracle", wanted, name, ran.outputs)
    gate = gating.require(Gate((compared,)))
    _check_timing(name, point.schedule, ran)
    (folder / GATE).write_text(json.dumps(gate.to_json(), indent=1), encoding="utf-8")


def gate_in(finished: Done) -> Gate:
    return Gate.from_json(json.loads((finished.folder / GATE).read_text(encoding="utf-8")))


def vectors(graph: Graph, samples: Any, wanted: int) -> Any:
    """The test set, topped up with random values over the whole input grids, or cut."""
    random, missing = np.random.default_rng(0), max(0, wanted - len(samples))
    extra = [random.integers(node.type.min, node.type.max + 1, (missing, node.size)) for node in graph.inputs]
    return np.concatenate([samples, side_by_side(extra)])[:wanted]


def _check_timing(name: str, plan: Schedule, ran: Simulation) -> None:
    if (ran.latency_cycles, ran.ii) != (plan.latency_cycles, plan.ii):
        measured = f"latency {ran.latency_cycles}, II {ran.ii}"
        raise FlowError(
            f"{name}: simulated {measured}; the schedule predicts latency {plan.latency_cycles}, II {plan.ii}",
            "this is a fault of hlsflow: please report it with the project",
        )


def _simulated(ran: Simulation, samples: Samples, first: Node, clock_ns: float) -> MetricSet:
    """Figures of a simulation; `first` gives the first output."""
    tool, vectors = verilator.find(), f"{len(ran.outputs)} vectors"
    cycles = ran.latency_cycles
    clocked = f"latency in ns is at the requested clock of {clock_ns:g} ns, which is no timing result"

    def metric(name: str, value: float | None, note: str = "") -> Metric:
        return Metric(name, value, Stage.SIMULATED, tool.name, tool.stamp, vectors, "simulation.json", note)

    outputs = first.type.real(ran.outputs[: len(samples.x), : first.size])
    quality = judged(outputs, samples, Stage.SIMULATED, tool.name, tool.stamp)
    return quality + (
        metric("latency_cycles", cycles),
        metric("ii", ran.ii),
        metric("latency_ns", round(cycles * clock_ns, 3), clocked),
    )


def synth(context: Context, results: Results) -> Results:
    """Synthesis of every point for every family, routing of the ECP5 ones, and vendor csynth where it is installed."""
    families = context.project.target.families
    tasks = [(point, family) for point in sorted(results.points, key=lambda p: p.schedule.ii) for family in families]
    finished = parallel(context, lambda task: _synthesize(context, *task), tasks)
    figures: dict[int, MetricSet] = {point.reuse_factor: point.metrics for point in results.points}
    for (point, _), (metrics, _) in sorted(
        zip(tasks, finished, strict=True), key=lambda item: families.index(item[0][1])
    ):
        figures[point.reuse_factor] += metrics
    points = tuple(replace(point, metrics=figures[point.reuse_factor]) for point in results.points)
    results = results.with_work(*(part for _, parts in finished for part in parts), points=points)
    return _csynth(context, results)


def synth_first(context: Context, results: Results) -> Results:
    """Synthesis of every point for the first family alone, as `synth` does it; nothing is routed."""
    family = context.project.target.families[0]
    finished = parallel(context, lambda point: area(context, point, family), results.points)
    pairs = zip(results.points, finished, strict=True)
    points = tuple(replace(point, metrics=point.metrics + figures) for point, (figures, _) in pairs)
    return results.with_work(*(part for _, part in finished), points=points)


def _synthesize(context: Context, point: Point, family: Family) -> tuple[MetricSet, list[Done]]:
    part = context.project.target.route_part if family is Family.ECP5 else None
    figures, finished = area(context, point, family)
    if part is None:
        return figures, [finished]
    routed = _route(context, point, part, finished, figures)
    return figures + metrics_in(routed, f"synth/{point.name}-{part}"), [finished, routed]


def area(context: Context, point: Point, family: Family) -> tuple[MetricSet, Done]:
    """Figures of a point's synthesis, and the part that holds the netlists that routing and simulation take."""
    project, files = context.project, for_family(point.design.files, family, point.design.prefix)
    routed = family is Family.ECP5 and project.target.route_part is not None
    plan = yosys.plan(files, point.design.top, family, netlist=routed, verilog=project.gate.netlist != 0)
    key = {"plan": plan.digest(yosys.find()), "code": code("toolchains/yosys.py", *SOURCES)}

    def work(folder: Path) -> None:
        write_metrics(folder, yosys.execute(plan, folder, timeout_s=SYNTH_TIMEOUT_S))

    finished = context.do("synth", f"{point.name}-{family.value}", key, work)
    return metrics_in(finished, f"synth/{point.name}-{family.value}"), finished


def _route(context: Context, point: Point, part: str, netlist: Done, synthesized: MetricSet) -> Done:
    clock_ns, cycles = context.project.target.clock_ns, point.schedule.latency_cycles
    tool = [*nextpnr.find().identity, *nextpnr.OPTIONS, *nextpnr.PLACERS]
    source, own = netlist.digest("ecp5.json"), routing_code()
    key = {"netlist": source, "part": part, "clock_ns": clock_ns, "cycles": cycles, "tool": tool, "code": own}

    def work(folder: Path) -> None:
        figures = nextpnr.route(
            netlist.folder / "ecp5.json", part, clock_ns, folder, timeout_s=ROUTE_TIMEOUT_S, synth=synthesized
        )
        write_metrics(folder, figures + (_routed_latency(figures, cycles),))

    return context.do("synth", f"{point.name}-{part}", key, work)


def routing_code() -> str:
    """A digest of our own code that makes figures of what Yosys and nextpnr say of a routed design."""
    return code("toolchains/nextpnr.py", "toolchains/yosys.py", *SOURCES)


def _routed_latency(figures: MetricSet, cycles: int) -> Metric:
    fmax = figures.get("fmax_mhz", Stage.ROUTED)
    assert fmax is not None
    value = round(cycles * 1000.0 / fmax.value, 2) if fmax.value else None
    return replace(fmax, name="latency_ns", value=value)


def csynth(chain: Toolchain, folder: Path, overrides: Path, progress: Progress | None = None) -> drive.Outcome:
    """C synthesis of an hls4ml project in its folder.

    Args:
        overrides: folder of templates that take the place of hlsflow's.
        progress: None for runs in parallel, which are reported together.
    """
    limits, settings = drive.Limits(timeout_s=CSYNTH_TIMEOUT_S), Settings(overrides)
    return drive.run(chain, folder, (Step.CSYNTH,), limits=limits, settings=settings, progress=progress)


def csynth_code(chain: Toolchain) -> str:
    """A digest of our own code and scripts that the figures of a toolchain's csynth depend on."""
    scripts = templates.root() / "tools" / chain.name
    texts = [f"templates/tools/{chain.name}/{file.name}" for file in scripts.iterdir()] if scripts.is_dir() else []
    shared = ("toolchains/amd.py", "toolchains/native.py", "toolchains/intel.py", "toolchains/reports")
    return code(f"toolchains/{chain.name}.py", *shared, *texts, *SOURCES)


def look_first(folder: Path, progress: Progress, stop: bool = True) -> None:
    """Say what is known to fail in an hls4ml project, before it is built.

    Args:
        stop: whether it is an error when something cannot succeed.
    Raises:
        ProjectError: something cannot.
    """
    if not hls4ml_project.is_project(folder):
        return
    findings = check(hls4ml_project.read(folder), folder)
    for finding in findings:
        progress.say(str(finding))
    if stop:
        require(findings)


def _csynth(context: Context, results: Results) -> Results:
    """hls4ml's own project through the vendor's HLS, where that is installed."""
    assert results.translated is not None
    project = results.translated.folder / "hls"
    try:
        chain = installed(context.project.target.backend, Step.CSYNTH)
        look_first(project, context.progress)
    except (ToolMissing, ProjectError) as error:
        note = f"no csynth row: {error.message}"
        context.progress.say(note)
        return replace(results, notes=(*results.notes, note))
    overrides = context.project.folder / TEMPLATES
    key = {
        "hls": results.translated.digest("hls"),
        "tool": chain.find().identity,
        "templates": scripts.own(overrides),
        "code": csynth_code(chain),
    }

    def work(folder: Path) -> None:
        shutil.copytree(project, folder / "hls")
        made = csynth(chain, folder / "hls", overrides, context.progress)
        layers = [(layer.name, below("hls", layer.metrics)) for report in made.reports for layer in report.layers]
        write_metrics(folder, below("hls", made.metrics))
        write_layers(folder, layers)

    finished, place = context.do("synth", "csynth", key, work), "synth/csynth"
    return results.with_work(finished, csynth=metrics_in(finished, place), csynth_layers=layers_in(finished, place))
