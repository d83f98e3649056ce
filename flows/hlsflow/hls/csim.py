"""C-simulation: hls4ml's HLS C++ compiled with the local compiler and run on every sample.

In: an HLS project folder that hls4ml wrote, the graph (for names, shapes and grids) and integer samples.
Out: integer results on the output grid, and on demand the values of every layer. The compiled library runs in a
process of its own (`python -m hlsflow.hls.csim`), so that a crash of foreign C++ is an error message and no more.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hlsflow.core.errors import ToolFailed, ToolMissing
from hlsflow.core.progress import Progress, duration
from hlsflow.ir import Graph
from hlsflow.ir.fixed import Array, Fixed
from hlsflow.ir.graph import apart, side_by_side
from hlsflow.toolchains import gxx, headers, process

FLAGS = ("-O1", "-std=c++17", "-fPIC", "-shared", "-w", '-DWEIGHTS_DIR="firmware/weights"')
"""hls4ml's own script asks for -O3, which compiles no slower but makes no difference to the values."""

AP, AC = ("ap_types",), ("ac_types",)
FOLDERS: Mapping[str, tuple[str, ...]] = {
    "vitis": AP,
    "vivado": AP,
    "vivadoaccelerator": AP,
    "quartus": AC,
    "catapult": ("ac_types/include", "ac_math/include", "ac_simutils/include", "nnet_utils"),
}
"""Backend of hls4ml whose C++ any compiler can compile → folders of `firmware/` with the headers that it brings."""

STANDARD = ("algorithm", "cmath", "cstdio", "cstdlib", "fstream", "iostream", "map", "sstream", "string", "vector")
HEADERS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("vitis", "vivado", "vivadoaccelerator"), (*STANDARD, "ap_fixed.h", "ap_int.h", "hls_stream.h")),
    "quartus": (*STANDARD, "ac_fixed.h", "ac_int.h"),
    "catapult": (),
}
"""Backend → headers with which its C++ begins, and which need not be read anew for each network."""

NEEDS: Mapping[str, str] = {
    "oneapi": "the SYCL headers of Intel oneAPI",
    "libero": "the headers of Microchip SmartHLS",
}
"""Backend → headers that its C++ needs and hls4ml does not bring, so that there is no C-simulation."""

LIBRARY, UNIT = "csim.so", "csim.cpp"
RUN_TIMEOUT_S = 3600.0
PACKAGE_PARENT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, eq=False)
class Csim:
    """What the C-simulation computed.

    Attributes:
        output: int64, (n, total_out), each output on its own grid.
        layers: hls4ml layer name → real values (n, size); empty unless asked for.
    """

    output: Array
    layers: dict[str, Array]


def build(
    project: Path,
    name: str,
    folder: Path,
    flags: tuple[str, ...] = FLAGS,
    backend: str = "vitis",
    progress: Progress | None = None,
    limit_s: float = gxx.TIMEOUT_S,
) -> Path:
    """Compile an HLS project.

    Args:
        project: the folder hls4ml wrote.
        name: hls4ml's project name.
        folder: for the library and the compiler's log.
        flags: of the compiler.
        backend: of hls4ml.
        progress: where the time that the compiler takes is shown; None: nowhere.
        limit_s: seconds after which it is given up.
    Raises:
        ToolMissing: the C++ of that backend needs headers that are not here, or there is no compiler.
        ToolFailed, StorageError: as `gxx.compile`.
    """
    if backend in NEEDS:
        raise ToolMissing(
            f"C-simulation not run: needs {NEEDS[backend]}", "check the network with target.backend = 'vitis'"
        )
    library = (folder / LIBRARY).resolve()
    unit = _unit(project, name, folder)
    log, began = folder / "compile.log", time.monotonic()
    try:
        with _shown(progress, limit_s) as watch:
            folders = [f"firmware/{header_folder}" for header_folder in FOLDERS[backend]]
            begun = headers.precompiled(HEADERS[backend], flags, [project / header_folder for header_folder in folders])
            argv = (*flags, *(f"-I{searched}" for searched in (".", *folders)), *begun)
            gxx.compile([unit], library, argv, project, log, timeout_s=limit_s, watch=watch)
    except ToolFailed as error:
        if time.monotonic() - began < limit_s:
            raise
        raise ToolFailed(f"C-simulation: {error.message}", SMALLER) from error
    return library


def _unit(project: Path, name: str, folder: Path) -> Path:
    """Everything that hls4ml wrote as one source, because each spends most of its time on the same headers."""
    wrapper = f"firmware/{name}_axi.cpp"
    sources = (f"firmware/{name}.cpp", *((wrapper,) if (project / wrapper).is_file() else ()), f"{name}_bridge.cpp")
    process.write_files(folder, {UNIT: "".join(f'#include "{source}"\n' for source in sources)})
    return (folder / UNIT).resolve()


SMALLER = (
    "use io_stream and strategy resource, whose C++ is smaller: --io-type io_stream --strategy resource for a model "
    "file, target.io_type and knobs.strategy in a project"
)


@contextmanager
def _shown(progress: Progress | None, limit_s: float) -> Iterator[process.Watch | None]:
    """What a compiler's run is shown to, some times each second."""
    if progress is None:
        yield None
        return
    with progress.live("C-simulation") as tell:

        def watch(seconds: float, _: int) -> None:
            if seconds > PATIENCE_S:
                tell("compiling", f"at most {duration(limit_s)}")

        yield watch


PATIENCE_S = 10.0
"""Seconds of compiling of which nothing is said."""


def run(library: Path, project: Path, name: str, graph: Graph, x: Array, folder: Path, trace: bool = False) -> Csim:
    """Run a compiled project.

    Args:
        library: what `build` returned.
        project: the HLS project folder, where the weights are read from.
        name: hls4ml's project name.
        graph: the same network, for the shape and the grid of input and output.
        x: integers on the input grids, (n, total_in).
        folder: for the files that go to and fro.
        trace: also record the values of every layer.
    Raises:
        ToolFailed: the library crashed or left values that are not on the output grid.
    """
    folder = folder.resolve()
    parts = [node.type.real(part) for node, part in zip(graph.inputs, apart(graph.inputs, x), strict=True)]
    np.save(folder / "csim_in.npy", side_by_side(parts))
    sizes = [[node.size for node in nodes] for nodes in (graph.inputs, graph.results)]
    task = {"library": str(library), "name": name, "sizes": sizes, "folder": str(folder), "trace": trace}
    (folder / "csim_task.json").write_text(json.dumps(task), encoding="utf-8")
    argv = [sys.executable, "-m", "hlsflow.hls.csim", str(folder / "csim_task.json")]
    process.run(
        argv,
        folder=project,
        log=folder / "csim_run.log",
        timeout_s=RUN_TIMEOUT_S,
        tool="C-simulation",
        env={"PYTHONPATH": os.pathsep.join([str(PACKAGE_PARENT), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)},
    )
    with process.results_of("C-simulation", folder):
        with np.load(folder / "csim_out.npz", allow_pickle=False) as data:
            values = {key: data[key] for key in data.files}
        outputs = apart(graph.results, values.pop("output"))
    codes = [_on_grid(part, node.type) for part, node in zip(outputs, graph.results, strict=True)]
    return Csim(side_by_side(codes), values)


def _on_grid(real: Array, kind: Fixed) -> Array:
    scaled = np.asarray(real, np.float64) * 2.0**kind.frac
    if not np.array_equal(scaled, np.rint(scaled)):
        raise ToolFailed(
            f"C-simulation gives values off the grid of {kind}", "the HLS project and the graph do not match"
        )
    return scaled.astype(np.int64)


class _TraceData(ctypes.Structure):
    """One entry of hls4ml's trace table (`trace_data` in the bridge it generates)."""

    _fields_ = [("name", ctypes.c_char_p), ("data", ctypes.c_void_p)]


def _main(task_file: str) -> None:
    """The child process: load the library, run every sample, save what comes out."""
    task = json.loads(Path(task_file).read_text(encoding="utf-8"))
    folder = Path(task["folder"])
    library = ctypes.CDLL(task["library"])
    call = _function(library, task["name"], *task["sizes"])
    x = np.load(folder / "csim_in.npy")
    values: dict[str, Any] = {"output": _outputs(call, x, sum(task["sizes"][1]))}
    if task["trace"]:
        values |= _trace(library, call, x, sum(task["sizes"][1]), _layer_sizes(Path("firmware")))
    np.savez(folder / "csim_out.npz", **values)


Call = Callable[[Array, Array], None]
"""Runs the network on one sample: (total_in,) real values, and where the (total_out,) results go."""


def _function(library: Any, name: str, n_in: list[int], n_out: list[int]) -> Call:
    """hls4ml's entry point, which takes one pointer for each input and each output."""
    function = getattr(library, f"{name}_double")
    pointer = np.ctypeslib.ndpointer(np.float64, flags="C_CONTIGUOUS")
    function.argtypes, function.restype = [pointer] * (len(n_in) + len(n_out)), None
    ends = np.cumsum(n_in)[:-1], np.cumsum(n_out)[:-1]

    def call(x: Array, out: Array) -> None:
        function(*np.split(x, ends[0]), *np.split(out, ends[1]))

    return call


def _outputs(call: Call, x: Array, n_out: int) -> Array:
    result = np.zeros((len(x), n_out))
    for row, out in zip(x, result, strict=True):
        call(row, out)
    return result


def _layer_sizes(firmware: Path) -> dict[str, int]:
    """Traced layers and their sizes, from the calls hls4ml generates: save_layer_output<type>(var, "name", size)."""
    sizes = {}
    (source,) = (path for path in firmware.glob("*.cpp"))
    for name, size in re.findall(r'save_layer_output<[^>]*>\([^,]+,\s*"([^"]+)",\s*([^)]+)\)', source.read_text()):
        sizes[name] = int(np.prod([int(factor) for factor in size.split("*")]))
    return sizes


def _trace(library: Any, call: Call, x: Array, n_out: int, sizes: dict[str, int]) -> dict[str, Array]:
    table = (_TraceData * len(sizes))()
    library.allocate_trace_storage(ctypes.c_size_t(ctypes.sizeof(ctypes.c_double)))
    result = {layer: np.zeros((len(x), size)) for layer, size in sizes.items()}
    out = np.zeros(n_out)
    for index, row in enumerate(x):
        call(row, out)
        library.collect_trace_output(table)
        for entry in table:
            layer = entry.name.decode()
            pointer = ctypes.cast(entry.data, ctypes.POINTER(ctypes.c_double))
            result[layer][index] = np.ctypeslib.as_array(pointer, shape=(sizes[layer],))
    library.free_trace_storage()
    return result


if __name__ == "__main__":
    _main(sys.argv[1])
