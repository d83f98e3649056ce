"""Inputs for `attack.py`: what people may hand to hlsflow, damaged or made to hurt.

In: a random generator and an empty folder. Out: an `Act` that hands the input over. Each kind begins with something
sound, changes it at random places, and puts values there that parsers and arithmetic are known to stumble over.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.estimate import designs  # noqa: E402
from tests.toolchains.reports.written import REPORTS  # noqa: E402

from hlsflow.__main__ import main  # noqa: E402  the path must be there first
from hlsflow.core.store import digest  # noqa: E402
from hlsflow.data import load_data, natural_grid  # noqa: E402
from hlsflow.data.data import real_samples  # noqa: E402
from hlsflow.project import for_model, load  # noqa: E402

Act = Callable[[], object]
"""Hands an input to hlsflow; returns an exit code, or anything else where there is none."""

Make = Callable[[random.Random, Path], Act]

VALUES: tuple[Any, ...] = (
    0, -1, 1, 2, 127, 2**31, 2**32, 2**63 - 1, -(2**63), 10**18, 0.0, -0.0, 0.5, 1e-320, 1e308, 1e22, -1e9,
    float("nan"), float("inf"),
    True, False, "", " ", "x", "x" * 9000, "a\0b", "\n", "é", "\u202e", "../..", "/dev/zero",
    "/", "digits", "x.npz", "x.csv", "model.py", "a.b.c", "__class__", "fixed<8,3>", "fixed<0,0>", "fixed<99999999,1>",
    "fixed<64,-64>", "ufixed<1,1>", "fixed<8,3,RND,SAT>", "xc7", "latency", [], [0], [1, 1], [[]], ["x"], {}, {"x": 1},
    {"x": {"x": {}}}, [[[[[[[[[[1]]]]]]]]]], list(range(2000)),
)  # fmt: skip
"""Values of every type: the largest, the smallest, none, and words that mean something elsewhere."""

TOKENS: tuple[bytes, ...] = (
    b"\0", b"\xff", b"\xfe\xff", b"9" * 5000, b"[" * 3000, b"(" * 3000, b"{" * 3000, b"<a>" * 3000, b"- " * 3000,
    b"nan",
    b"inf", b"-", b"1e999", b"0x", b"1_0", b"\r", b"\n", b"\t", b"&a *a", b"!!python/object:os.system x", b'"', b"'",
    b"\\", b"%s", b"{0}", b"${x}", b"<!DOCTYPE a>", b"]]>", b"&lt;", b"|", b"+--+", b"\xe2\x80\xae", b"=", b",",
    b" " * 5000,
    "٣".encode(), "²".encode(), b"-1", b"0", b"99999999999999999999",
)  # fmt: skip
"""Bytes that parsers are known to stumble over."""

WORDS = ("", "0", "-1", "1", "2", "1,2", "1,,2", "x", "nan", "1e9", "9" * 5000, "٣", "²", "fixed<8,3>", "/", ".", "..",
         "nowhere", "nowhere.h5", "project", "project/project.toml", "folder", "folder/vivado_synth.rpt", "run.json",
         "base.toml", "x.npz", "x.csv", "/dev/null", "/dev/zero", "\udcff", "a\nb",
         "-", "--", "@x", "x" * 5000)  # fmt: skip
"""Arguments of a command line, some of which name what is there."""

OPTIONS = ("--data", "--input-precision", "--bits", "--reuse-factor", "--allow-lambda", "--build", "--jobs", "--part",
           "--json", "--format", "--output", "--baseline", "--write-baseline", "--cache", "--older-than", "--help",
           "--version", "--nonsense")  # fmt: skip
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("report",), ("compare",), ("estimate",), ("check", "--baseline", "base.toml"), ("check",), ("run",), ("new",),
    ("cache", "show"), ("cache", "export"), ("cache", "import"), ("cache", "prune"), ("build",), (), ("nonsense",),
)  # fmt: skip


def damaged(rng: random.Random, content: bytes) -> bytes:
    """The same with a few changes at random places."""
    for _ in range(rng.choice((1, 1, 2, 5))):
        content = rng.choice(CHANGES)(rng, content)
    return content


def _flipped(rng: random.Random, content: bytes) -> bytes:
    place = rng.randrange(len(content) + 1)
    return content[:place] + bytes([rng.randrange(256)]) + content[place + 1 :]


def _cut(rng: random.Random, content: bytes) -> bytes:
    first, last = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return content[:first] + content[last:]


def _ended(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _doubled(rng: random.Random, content: bytes) -> bytes:
    first, last = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return content[:last] + content[first:]


def _with_token(rng: random.Random, content: bytes) -> bytes:
    place = rng.randrange(len(content) + 1)
    return content[:place] + rng.choice(TOKENS) + content[place:]


def _other_number(rng: random.Random, content: bytes) -> bytes:
    """A digit becomes something else that may stand for a number."""
    places = [place for place, byte in enumerate(content) if byte in b"0123456789"]
    place = rng.choice(places) if places else 0
    return content[:place] + rng.choice(TOKENS) + content[place + 1 :]


CHANGES = (_flipped, _cut, _ended, _doubled, _with_token, _with_token, _other_number, _other_number)


def changed(rng: random.Random, value: Any) -> Any:
    """A table or list with one value, or one name, put in another's place."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        if rng.random() < 0.1:
            return {
                rng.choice(["", "x", "name", "é", key * 99]) if name == key else name: v for name, v in value.items()
            }
        return value | {key: changed(rng, value[key])}
    if isinstance(value, list) and value and rng.random() < 0.7:
        place = rng.randrange(len(value))
        return [changed(rng, one) if number == place else one for number, one in enumerate(value)]
    return rng.choice(VALUES)


def written(file: Path, content: bytes | str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    return file


def traps(rng: random.Random, folder: Path) -> None:
    """Now and then, a file of the folder is no file."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    if not files or rng.random() > 0.1:
        return
    file = rng.choice(files)
    file.unlink()
    kind = rng.choice(("pipe", "device", "loop", "folder", "nothing"))
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    elif kind != "nothing":
        file.symlink_to("/dev/zero" if kind == "device" else file.name)


PROJECT: Mapping[str, Any] = {
    "name": "digits",
    "data": {"source": "digits", "test": 0.2, "validation": 0.1, "seed": 1, "scale": 0.0625},
    "model": {"quantized": "quantized", "arguments": {"width": 8}},
    "training": {"epochs": 1, "batch_size": 32, "learning_rate": 0.003, "patience": 3},
    "prune": {"sparsity": 0.5},
    "input": {"precision": "ufixed<5,1>"},
    "target": {"backend": "vitis", "part": "xcu250-figd2104-2L-e", "clock_ns": 5, "families": ["xc7"]},
    "knobs": {"reuse_factor": 64, "layers": {"fc1": {"reuse_factor": 2, "precision": {"accum": "fixed<18,8>"}}}},
    "sweep": {"reuse_factor": [16, 32]},
    "budgets": {"xc7": {"lut": 1000, "dsp": 0}},
    "explore": {"multiplier": ["dsp"], "weight_bits": [3, 4], "accuracy_drop": 0.01, "cluster": "local"},
    "search": {"trials": 2, "space": {"width": {"low": 8, "high": 16, "step": 8}, "knobs.reuse_factor": [1, 2]}},
    "gate": {"vectors": 10},
    "quantize": {"bits": 8, "layers": {"fc1": {"weight": 3}}, "lower": [8, 6]},
}
BUILDERS = (
    "import os\n\ndef quantized(width=8):\n    return [x ** 2 for x in range(width)]\n\ndef baseline(width=8): ...\n"
)


def project(rng: random.Random, folder: Path) -> Act:
    """A project folder: its file and its model.py are read, checked, and told again."""
    values: Any = {key: value for key, value in PROJECT.items() if key != "quantize" or rng.random() < 0.1}
    builders = BUILDERS.encode()
    style = rng.random()
    for _ in range(rng.choice((1, 1, 3)) if style < 0.6 else 0):
        values = changed(rng, values)
    with contextlib.suppress(TypeError, AttributeError, ValueError):  # what TOML cannot say
        written(folder / "project.toml", tomli_w.dumps(values))
    if 0.6 <= style < 0.9:
        written(folder / "project.toml", damaged(rng, tomli_w.dumps(values).encode()))
    written(folder / "model.py", damaged(rng, builders) if style > 0.85 else builders)
    traps(rng, folder)

    def act() -> object:
        found = load(folder)
        digest(found.digest_fields("data", "training", "knobs", "target", "search", "explore"))
        return found.sweeping((1, 2)).reuse_factors, found.data_path, found.knobs.of("fc1"), load(folder) == found

    return act


def samples(rng: random.Random, folder: Path) -> Act:
    """A file with samples for a trained model."""
    ending = rng.choice((".npz", ".npz", ".csv", ".parquet"))
    file = folder / f"x{ending}"
    {".npz": _npz, ".csv": _csv, ".parquet": _parquet}[ending](rng, file)
    if rng.random() < 0.4:
        written(file, damaged(rng, file.read_bytes()))
    traps(rng, folder)
    written(folder / "model.h5", b"any")

    def act() -> object:
        precision = rng.choice(("fixed<8,3>", "fixed<8,3,RND,SAT>", "ufixed<5,1>", "natural"))
        project = for_model(folder / "model.h5", file, precision if precision != "natural" else "fixed<8,3>")
        kind = str(natural_grid(real_samples(project), str(file))) if precision == "natural" else precision
        found = load_data(for_model(folder / "model.h5", file, kind))
        return found.classes, found.shape, found.digest()

    return act


def _array(rng: random.Random, rows: int) -> Any:
    shape = rng.choice(((rows,), (rows, 4), (rows, 2, 2), (rows, 1), (rows, 0), (0,), (), (rows + 1, 4), (1,) * 20))
    kind = rng.choice(
        [
            "f8",
            "f8",
            "f4",
            "f2",
            "f16",
            "i8",
            "i1",
            "u8",
            "u1",
            "?",
            "c8",
            "S3",
            "U3",
            "M8[s]",
            "m8[s]",
            ">f8",
            "V4",
            "O",
        ]
    )
    sizes = (1, 1, 1, 1e9, 1e300)
    with np.errstate(all="ignore"):
        values = np.random.default_rng(rng.randrange(2**32)).normal(size=shape) * rng.choice(sizes)
        if rng.random() < 0.2 and values.size:
            values.flat[0] = rng.choice((np.nan, np.inf, -np.inf, 1e308))
        if kind in ("S3", "U3", "V4", "O"):
            return np.zeros(shape, kind)
        return values.astype("i8").astype(kind) if kind[0] in "Mm" else values.astype(kind)


def _npz(rng: random.Random, file: Path) -> None:
    names = rng.choice(
        (("x", "y"), ("x",), ("x_test", "y_test"), ("y",), ("a", "b"), ("x", "y", "x_train", "labels"), ())
    )
    arrays = {name: _array(rng, 9) for name in names}
    if "x" in arrays and rng.random() < 0.5:
        arrays |= {"x": np.arange(36.0).reshape(9, 4) / 8, **({"y": _array(rng, 9)} if "y" in arrays else {})}
    (np.savez if rng.random() < 0.5 else np.savez_compressed)(file, **arrays)
    if rng.random() < 0.2:
        _hostile_archive(rng, file)


def _hostile_archive(rng: random.Random, file: Path) -> None:
    """Heads of arrays that promise much, members that are none."""
    shape = rng.choice(
        ("(10**9,)", f"({2**40},)", "(-1,)", "(9, 4)", "()", "(" * 500, "(1.5,)", "('a',)", "(9, 9999999)")
    )
    head = (
        f"{{'descr': '{rng.choice(('<f8', '|O', '<q9', 'x', '<f8,<f8'))}', 'fortran_order': False, 'shape': {shape}}}"
    )
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("x.npy", rng.choice(("y.npy", "x.npy", "../../y.npy", "", "y", "x.npz"))):
            content = b"\x93NUMPY\x01\0" + struct.pack("<H", len(head)) + head.encode() + bytes(rng.choice((0, 8, 288)))
            archive.writestr(name or "y.npy", content if rng.random() < 0.8 else rng.choice(TOKENS))


def _csv(rng: random.Random, file: Path) -> None:
    cells = (
        "1",
        "0.5",
        "-2",
        "",
        "nan",
        "inf",
        "x",
        "1e999",
        "9" * 400,
        '"a,b"',
        "true",
        "2026-01-01",
        "é",
        " 1",
        "=1+1",
    )
    width = rng.choice((1, 2, 5, 5, 300))
    sound = rng.random() < 0.5

    def cell() -> str:
        return str(rng.randrange(3)) if sound else rng.choice(cells)

    names = [rng.choice(("y", "label", f"c{number}", f"c{number}", "", "x")) for number in range(width)]
    rows = [",".join(cell() for _ in range(width)) for _ in range(rng.choice((0, 1, 9)))]
    written(file, "\n".join([",".join(names), *rows]))


def _parquet(rng: random.Random, file: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    columns: tuple[Any, ...] = (
        [1.0, 2.5, 3.0], [0, 1, 2], [None, 1, 2], ["a", "b", "a"], [True, False, True], [b"x", b"y", b"z"],
        [[1], [2], [3]], [{"a": 1}] * 3, [2**63 - 1, 0, 1], [float("nan"), 1.0, 2.0], [None] * 3,
        pyarrow.array([1, 2, 3], pyarrow.timestamp("s")), pyarrow.array(["a", "b", "a"]).dictionary_encode(),
        pyarrow.array([1, 2, 3], pyarrow.decimal128(38, 3)), pyarrow.array([1.5, 2, 3], pyarrow.float16()),
    )  # fmt: skip
    names = rng.sample(("a", "b", "y", "label", "é", ""), rng.choice((1, 2, 3)))
    parquet.write_table(pyarrow.table({name: rng.choice(columns) for name in names}), file)


def reports(rng: random.Random, folder: Path) -> Act:
    """A folder of a vendor's tool or of hls4ml: reported, compared, estimated."""
    if rng.random() < 0.4:
        return _estimate(rng, folder)
    names = rng.sample(sorted(REPORTS), rng.choice((1, 1, 2, len(REPORTS))))
    for name in names:
        content = REPORTS[name].encode()
        written(folder / name, damaged(rng, content) if rng.random() < 0.8 else content)
    if rng.random() < 0.5:
        config = (
            b"ProjectName: tiny\nBackend: Vitis\nHLSConfig:\n  Model:\n    Precision: fixed<16,6>\n    ReuseFactor: 1\n"
        )
        written(folder / "hls4ml_config.yml", damaged(rng, config))
    traps(rng, folder)
    form = rng.choice(("md", "html", "csv", "json"))
    other = rng.choice(([], [str(folder)], [str(folder / names[0])]))
    return lambda: main(rng.choice((["report", str(folder), "--format", form], ["compare", str(folder), *other])))


def _estimate(rng: random.Random, folder: Path) -> Act:
    designs.project(folder)
    for file in rng.sample(sorted(one for one in folder.rglob("*") if one.is_file()), rng.choice((1, 1, 3))):
        written(file, damaged(rng, file.read_bytes()))
    traps(rng, folder)
    more = rng.choice(([], ["--json"], ["--reuse-factor", "1,4"], ["--part", rng.choice(WORDS[:20]) or "x"]))
    return lambda: main(["estimate", str(folder), *more])


RUN: Mapping[str, Any] = {
    "points": [
        {
            "knobs": {"reuse_factor": 4, "strategy": "latency"},
            "predicted": {"latency_cycles": 5},
            "metrics": [
                {
                    "name": name, "value": value, "stage": "synth", "tool": "Yosys", "version": "0.70", "target": "xc7",
                    "unit": unit, "source": "stat.json", "note": "", "clock_ns": None,
                }
                for name, value, unit in (("lut", 12, "LUT"), ("ff", 7, "FF"))
            ],
        }
    ]
}  # fmt: skip


def baselines(rng: random.Random, folder: Path) -> Act:
    """A report of a run held against a baseline file, either of them damaged."""
    run, base = folder / "run.json", folder / rng.choice(("base.toml", "base.json"))
    written(run, json.dumps(RUN))
    os.chdir(folder)  # the baseline names what it was made of: no name may be by chance, or damage would be too
    with contextlib.redirect_stdout(io.StringIO()):
        main(["check", run.name, "--write-baseline", base.name])
    file = rng.choice((run, base, base))
    if file.suffix == ".json" and rng.random() < 0.5:
        written(file, json.dumps(changed(rng, json.loads(file.read_text()))))
    else:
        written(file, damaged(rng, file.read_bytes()))
    traps(rng, folder)
    return lambda: main(
        rng.choice((["check", run.name, "--baseline", base.name], ["compare", run.name, base.name, base.name]))
    )


def commands(rng: random.Random, folder: Path) -> Act:
    """Any arguments, in a folder with something of every kind; what would train has nothing to train."""
    written(folder / "project" / "project.toml", 'name = "x"\n')
    designs.project(folder / "folder")
    written(folder / "folder" / "vivado_synth.rpt", REPORTS["vivado_synth.rpt"])
    written(folder / "run.json", json.dumps(RUN))
    np.savez(folder / "x.npz", x=np.zeros((3, 4)))
    arguments = [*rng.choice(COMMANDS)]
    for _ in range(rng.choice((1, 1, 2, 3))):
        arguments.append(rng.choice(WORDS))
    for _ in range(rng.choice((0, 1, 2))):
        option, value = rng.choice(OPTIONS), rng.choice(WORDS)
        arguments += rng.choice(([option], [option, value], [f"{option}={value}"]))

    def act() -> object:
        os.chdir(folder)
        return main(arguments)

    return act


def models(rng: random.Random, folder: Path) -> Act:
    """The file of a trained model, with another configuration or other bytes."""
    from hlsflow.qat.load import load_model

    file = _model(rng, folder)
    if rng.random() < 0.3:
        written(file, damaged(rng, file.read_bytes()))
    traps(rng, folder)
    return lambda: str(load_model(file).count_params())


def _model(rng: random.Random, folder: Path) -> Path:
    """A small network of QKeras, saved; its configuration changed afterwards."""
    import h5py

    from hlsflow.keras import keras2

    keras2.ready()
    import qkeras
    import tf_keras

    grid = qkeras.quantized_bits(6, 0, alpha=1)
    dense = qkeras.QDense(3, kernel_quantizer=grid, bias_quantizer=grid, name="fc")
    model = tf_keras.Sequential([tf_keras.layers.Input((4,)), dense, qkeras.QActivation("quantized_relu(6,2)")])
    file = folder / rng.choice(("m.h5", "m.keras"))
    model.save(file)
    if file.suffix == ".h5":
        with h5py.File(file, "r+") as opened:
            opened.attrs["model_config"] = _text(rng, opened.attrs["model_config"])
        return file
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, _text(rng, content) if name == "config.json" else content)
    return file


def _text(rng: random.Random, text: str | bytes) -> str:
    config = json.loads(text)
    for _ in range(rng.choice((1, 1, 2))):
        config = changed(rng, config)
    return json.dumps(config)


ENVIRONMENTS: tuple[Mapping[str, str], ...] = (
    {"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}, {"HOME": "/nonexistent"}, {"HOME": ""},
    {"TMPDIR": "/nonexistent"}, {"COLUMNS": "x"}, {"COLUMNS": "1"}, {"TERM": "dumb"}, {"FORCE_COLOR": "1"},
    {"PATH": ""},
    {"XDG_CACHE_HOME": "/proc"}, {"HLSFLOW_CACHE": "/dev/null"}, {"PYTHONWARNINGS": "error"}, {"NO_COLOR": "1"},
)  # fmt: skip
SHELLS = (
    "{}",
    "{} > /dev/full",
    "{} | head -c 1",
    "{} >&-",
    "{} 2>&-",
    "{} <&- >&- 2>&-",
    "ulimit -f 0; {}",
    "ulimit -n 8; {}",
)


def environments(rng: random.Random, folder: Path) -> Act:
    """A process of its own, in surroundings that lack something."""
    designs.project(folder / "\udcff")
    command = rng.choice(
        ("doctor", "--help", "report $'\\xff'", "estimate $'\\xff'", "report $'\\xff' --output out.md")
    )
    shell = rng.choice(SHELLS).format(f'"{sys.executable}" -m hlsflow {command}')
    surroundings = os.environ | {} | rng.choice(ENVIRONMENTS) | rng.choice(({}, rng.choice(ENVIRONMENTS)))

    def act() -> object:
        done = subprocess.run(
            ["/bin/bash", "-c", shell], env=surroundings, cwd=folder, capture_output=True, timeout=60, check=False
        )
        if b"Traceback" in done.stderr:
            raise RuntimeError(f"{shell} with {surroundings}: {done.stderr.decode(errors='replace')[-600:]}")
        return done.returncode

    return act


KINDS: Mapping[str, Make] = {
    "project": project,
    "samples": samples,
    "reports": reports,
    "baselines": baselines,
    "commands": commands,
    "models": models,
    "environments": environments,
}
"""Kind of input → what makes one."""
