"""Everything before the hardware: train, translate, and the C-simulation with its gate."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hlsflow.core.errors import GateFailed
from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.core.progress import Progress
from hlsflow.core.store import Done, code, file_digest, link
from hlsflow.core.tasks import Kind
from hlsflow.data.data import other_digest
from hlsflow.data.grid import Saturation
from hlsflow.data.openml import settled
from hlsflow.data.standard import doubt
from hlsflow.hls import csim as csimulation
from hlsflow.hls import gate as gating
from hlsflow.hls import reference as references
from hlsflow.hls import translate as translation
from hlsflow.hls.gate import Gate
from hlsflow.hls.names import under_own_names
from hlsflow.hls.original import OUTPUT, Original, original
from hlsflow.hls.reference import Reference
from hlsflow.hls.translate import PROJECT_NAME, Settings
from hlsflow.ir import Graph
from hlsflow.keras import keras2
from hlsflow.keras.inputs import sample_shape
from hlsflow.pipeline.context import Context, Results, Samples, judged, metrics_in, versions, write_metrics
from hlsflow.project import Project
from hlsflow.qat.curves import LOGS
from hlsflow.qat.devices import cluster_of
from hlsflow.qat.network import network_key
from hlsflow.report import layers
from hlsflow.report.markdown import render_table
from hlsflow.report.terminal import drawn
from hlsflow.rtl.cores.fold import lane_numbers
from hlsflow.toolchains import gxx

READING = ("keras",)
"""Our own code that any result depends on for which a model was read."""

OF_TASKS = ("core/tasks.py", "core/metrics.py")
"""Our own code that decides how a model's outputs are judged."""

NETWORKS = "networks"
"""Folder of a project's builds that keeps what building its networks has read."""


def train(context: Context, results: Results) -> Results:
    """QKeras model and float baseline, unless the project brings a trained QKeras model."""
    project = context.project
    if project.model.file is not None:
        return results
    key = project.digest_fields(
        *("task", "data", "model", "training", "quantize", "prune", "distil", "share", "anomaly", "devices"),
        *("input", "model_digest"),
    ) | {
        "network": network_key(project, context.store.records("networks"), context.folder.parents),
        "samples": _data_digest(project),
        "packages": versions("tensorflow", "tf_keras", "qkeras", "numpy"),
        "settings": keras2.settings(),
        "workers": _workers(project),
        "code": code(*READING, *OF_TASKS, "qat", "data"),
        "lanes": _lane_knobs(project),
    }

    def work(folder: Path) -> None:
        link(folder / LOGS, context.folder / LOGS)
        context.progress.say(f"to watch it: tensorboard --logdir {context.folder / LOGS}")
        _train_into(folder, project, context.progress)

    finished = context.do("train", "", key, work, resumable=True)
    link(finished.folder / LOGS, context.folder / LOGS)
    figures = metrics_in(finished, "train")
    return results.with_work(finished, trained=finished, metrics=results.metrics + figures)


def _workers(project: Project) -> int:
    """How many machines train together; each takes its share of a batch."""
    cluster = cluster_of(project.devices)
    return len(cluster.workers) if cluster else 1


def train_with_chief(project: Project, progress: Progress) -> bool:
    """Train as one of several workers, for the chief, which keeps what comes of it.

    Returns:
        whether this process is such a worker; the chief, and a process alone, train in the step `train`.
    Raises:
        FlowError: as of a training.
    """
    cluster = cluster_of(project.devices)
    if cluster is None or cluster.chief:
        return False
    worker = f"worker {cluster.index} of {len(cluster.workers)}"
    progress.say(f"{worker}: training with the chief, {cluster.workers[0]}")
    with TemporaryDirectory() as folder:
        _train_into(Path(folder), settled(project, progress.say), progress)
    progress.say(f"{worker}: done; the chief goes on alone")
    return True


def _train_into(folder: Path, project: Project, progress: Progress) -> None:
    from hlsflow.qat import apart, train, train_from_float

    how = train if project.quantize is None else train_from_float
    apart(how, project, folder, progress, partial(_lanes, project))


def _lane_knobs(project: Project) -> Any:
    """What decides which multiplier works off a weight; None where nothing depends on it."""
    if project.prune is None or project.prune.pattern != "lane":
        return None
    return [project.knobs.model_dump(mode="json"), code("rtl/cores/fold.py", "ir/integers.py")]


def _lanes(project: Project, layer: str, inputs: int, outputs: int) -> Any:
    """(inputs, outputs): the number of the multiplier of the folded layer that works off each weight."""
    knobs = project.knobs.of(layer).in_rtl
    return lane_numbers(inputs, outputs, knobs.reuse_factor, 2 if knobs.multiplier == "packed" else 1)


def _data_digest(project: Project) -> str:
    splitter = f"scikit-learn {version('scikit-learn')}"
    path = project.data_path
    if path is None:  # releases of scikit-learn and Keras fix the content of the sets they load
        return f"{project.data_name}, {splitter}, Keras {version('tf_keras')}"
    other = other_digest(project)
    return f"{file_digest(path)}, {splitter}{f', {other}' if other else ''}" if path.is_file() else "missing"


def translate(context: Context, results: Results) -> Results:
    """hls4ml project, integer graph, reference outputs, and the echo of knobs and corrections."""
    project = context.project
    model = results.trained.digest("qat.h5") if results.trained else project.model_digest
    key = project.digest_fields("task", "data", "anomaly", "input", "name") | {
        "model": model,
        "allow_lambda": project.model.allow_lambda,
        "knobs": hls_knobs(project),
        "target": project.target.model_dump(include={"backend", "part", "clock_ns", "io_type"}),
        "samples": _data_digest(project),
        "packages": versions("tensorflow", "tf_keras", "qkeras", "hls4ml", "numpy"),
        "settings": keras2.settings(),
        "code": code(*READING, *OF_TASKS, "hls", "ir", "qat", "data", "pipeline/software.py", "project"),
    }
    file = results.trained.folder / "qat.h5" if results.trained else project.model_path
    finished = context.do("translate", "", key, lambda folder: _translate_into(folder, project, file, context.progress))
    _say_translation(context, finished)
    return results.with_work(finished, translated=finished)


def hls_knobs(project: Project) -> dict[str, Any]:
    """The knobs without those that only our own RTL knows."""
    rtl_only = {"multiplier", "weights_in", "codebook", "parallel_pixels", "rtl"}
    return project.knobs.model_dump(mode="json", exclude={*rtl_only, "pipeline", "layers"}) | {
        "layers": {name: own.model_dump(mode="json", exclude=rtl_only) for name, own in project.knobs.layers.items()}
    }


def _translate_into(folder: Path, project: Project, model_file: Path, progress: Progress) -> None:
    from hlsflow.data import load_data
    from hlsflow.qat import in_hardware, load_model, purposed, task_of

    model = load_model(model_file, allow_lambda=project.model.allow_lambda)
    data = load_data(project).shaped(sample_shape(model))
    named, data = data, purposed(project, data, model)
    task = in_hardware(task_of(project, data, model, model_file.name), model, project.knobs.softmax_forms)
    settings = Settings(project.input.precision, project.target, project.knobs)
    result = translation.translate(model, settings, folder / "hls")
    result.graph.save(folder / "graph.npz")
    wide = bool(gating.beyond_float32(result.graph))
    frozen = references.reference(result.reading.model, data.x_test, wide=wide)
    frozen.save(folder / "reference.npz")
    codes = settings.input_type.quantize(data.x_test.reshape(len(data.x_test), -1))
    samples = Samples(codes, data.y_test, project.data_name, task)
    samples.save(folder)
    original(result, frozen, data.x_test, samples.task, samples.y).save(folder)
    itself = " (without y in the data, the sample itself is what is estimated)" if data is not named else ""
    echo = {
        "names": dict(result.names),
        "task": f"{task}{itself}",
        "standardization": data.standard,
        "saturation": data.saturated.to_json() if data.saturated else None,
        "doubt": _doubt(project, data.x_test, frozen.output[:, : result.graph.results[0].size], samples),
        "corrections": [item.to_json() for item in result.corrections],
        "layers": [row.to_json() for row in result.rows],
    }
    (folder / "translation.json").write_text(json.dumps(echo, indent=1), encoding="utf-8")


def _doubt(project: Project, real: Any, outputs: Any, samples: Samples) -> str | None:
    """Whether samples seem to be prepared otherwise than in the training of a model that comes trained."""
    task = samples.task
    accuracy = task.score(outputs, samples.y)
    if project.training is not None or task.kind is not Kind.CLASSES or accuracy is None:
        return None
    return doubt(real, samples.y, accuracy, bool(project.data.standardize))


def _say_translation(context: Context, finished: Done) -> None:
    echo = json.loads((finished.folder / "translation.json").read_text(encoding="utf-8"))
    context.progress.say(f"task: {echo['task']}")
    if echo["standardization"]:
        context.progress.say(f"samples standardized by mean and deviation of {echo['standardization']['by']}")
    if echo["saturation"]:
        context.progress.say(str(Saturation.from_json(echo["saturation"])))
    if echo["doubt"]:
        context.progress.say(echo["doubt"])
    table = layers.table(echo["layers"])
    context.progress.say(render_table(table), drawn(table))
    for item in echo["corrections"]:
        context.progress.say(f"corrected '{item['layer']}': {item['what']}, because {item['reason']}")


def csim(context: Context, results: Results) -> Results:
    """file = frozen, then C-simulation of the whole test set, and frozen = csim = oracle where that is possible."""
    assert results.translated is not None
    translated, backend, vectors = results.translated, context.project.target.backend, context.project.gate.vectors
    linked = gating.require(_linked(translated.folder, context.project))
    key = {
        "backend": backend,
        "vectors": vectors,
        "hls": translated.digest("hls/firmware", *_bridges(translated)),
        "inputs": translated.digest("graph.npz", "samples.npz", "reference.npz", "translation.json", OUTPUT),
        "compiler": gxx.identity(),
        "packages": versions("qkeras", "hls4ml"),
        "code": code("hls", "ir", "pipeline/software.py", "pipeline/context.py", "core/tasks.py", "core/metrics.py"),
    }
    context.progress.say(str(linked))
    try:
        finished = context.do(
            "csim", "", key, lambda folder: _csim_into(folder, translated.folder, backend, vectors, context.progress)
        )
    except GateFailed as error:
        raise GateFailed(error.message, error.hint, _after(linked, error)) from error
    judged_here = Gate.from_json(json.loads((finished.folder / "gate.json").read_text(encoding="utf-8")))
    gate = gating.joined(linked, judged_here)
    context.progress.say(str(judged_here))
    context.progress.result(f"verdict: {gate.verdict}")
    figures = metrics_in(finished, "csim")
    trained = {_subject(metric) for metric in results.metrics}  # of the trained model, by its training
    figures = MetricSet(tuple(metric for metric in figures if _subject(metric) not in trained))
    return results.with_work(finished, csim=finished, gate=gating.require(gate), metrics=results.metrics + figures)


def _subject(metric: Metric) -> tuple[Stage, str, str]:
    return metric.stage, metric.name, metric.target


def _linked(translated: Path, project: Project) -> Gate:
    """The first link of the chain: the model's file against the frozen network, by the limits of the project."""
    graph, frozen = Graph.load(translated / "graph.npz"), Reference.load(translated / "reference.npz")
    file = Original.load(translated)
    return gating.against_file(file.output, frozen.output, graph, file.fidelity, project.gate)


def _after(linked: Gate, error: GateFailed) -> Mapping[str, Any] | None:
    """The verdict of an error, with the first link before it."""
    return None if error.gate is None else gating.joined(linked, Gate.from_json(error.gate)).to_json()


def _bridges(translated: Done) -> list[str]:
    return [name for name in translated.outputs if name.startswith("hls/") and name.endswith("_bridge.cpp")]


def _csim_into(folder: Path, translated: Path, backend: str, vectors: int, progress: Progress) -> None:
    """Compare, and judge by all samples and by those that the RTL runs, if these are fewer."""
    graph, reference = Graph.load(translated / "graph.npz"), Reference.load(translated / "reference.npz")
    samples = Samples.load(translated)
    file, first = Original.load(translated).output, graph.results[0]  # of several outputs the first one is judged

    def figures(outputs: Any, stage: Stage, tool: str, tool_version: str) -> MetricSet:
        by_count = [judged(outputs[:count], samples, stage, tool, tool_version) for count in (len(outputs), vectors)]
        return by_count[0] + by_count[1] if vectors < len(outputs) else by_count[0]

    metrics = figures(file[:, : first.size], Stage.QAT, "qkeras", version("qkeras"))
    if backend in csimulation.NEEDS:
        gate = gating.judge_without_csim(graph, reference, samples.x, csimulation.NEEDS[backend])
    else:
        gate, output = _simulated(folder, translated, backend, graph, reference, samples, progress)
        tool = gxx.find()
        label = f"hls4ml {version('hls4ml')} + {tool.name}"
        metrics += figures(first.type.real(output[:, : first.size]), Stage.CSIM, label, tool.version)
    (folder / "gate.json").write_text(json.dumps(gate.to_json(), indent=1), encoding="utf-8")
    write_metrics(folder, metrics)
    gating.require(gate)


def _simulated(
    folder: Path,
    translated: Path,
    backend: str,
    graph: Graph,
    reference: Reference,
    samples: Samples,
    progress: Progress,
) -> tuple[Gate, Any]:
    """The gate, and what the C-simulation computed."""
    library = csimulation.build(translated / "hls", PROJECT_NAME, folder, backend=backend, progress=progress)
    ran = csimulation.run(library, translated / "hls", PROJECT_NAME, graph, samples.x, folder)
    gate = gating.judge(
        graph, reference, ran.output, samples.x, lambda: _layers(library, translated, graph, samples.x, folder)
    )
    return gate, ran.output


def _layers(library: Path, translated: Path, graph: Graph, x: Any, folder: Path) -> dict[str, Any]:
    values = csimulation.run(library, translated / "hls", PROJECT_NAME, graph, x, folder, trace=True).layers
    return under_own_names(values, json.loads((translated / "translation.json").read_text(encoding="utf-8"))["names"])
