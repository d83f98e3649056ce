"""`hlsflow search`: spaces and projects of trials, the book of trials in real databases, and one search to its end."""

from __future__ import annotations

import csv
import getpass
import io
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hlsflow import search as searching
from hlsflow.__main__ import main
from hlsflow.core.errors import FlowError, ProjectError, StorageError
from hlsflow.core.progress import Progress
from hlsflow.core.store import digest, file_digest
from hlsflow.core.tasks import Kind
from hlsflow.data import load_data
from hlsflow.project import Project, load
from hlsflow.qat.build import build
from hlsflow.search import Options, search
from hlsflow.search.run import fitting, measured, question, require_same_code
from hlsflow.search.space import networks, search_of, size, trial_project, write_project
from hlsflow.search.study import Book

MODEL = """
from qkeras import QActivation, QDense, quantized_bits
from tf_keras import Sequential
from tf_keras.layers import Dense, Input


def quantized(width=4, bits=4):
    grid = quantized_bits(bits, 0, alpha=1)
    return Sequential([
        Input((64,)),
        QDense(width, kernel_quantizer=grid, bias_quantizer=grid),
        QActivation(f"quantized_relu({bits},2)"),
        QDense(10, kernel_quantizer=grid, bias_quantizer=grid),
    ])


def baseline(width=4):
    return Sequential([Input((64,)), Dense(width, "relu"), Dense(10)])
"""

PROJECT = """
name = "tiny"
[data]
source = "digits"
test = 0.2
validation = 0.1
scale = 0.0625
[model]
quantized = "quantized"
baseline = "baseline"
[training]
epochs = 3
batch_size = 64
learning_rate = 0.01
[input]
precision = "ufixed<5,1>"
[target]
families = ["xc7", "ecp5"]
clock_ns = 10.0
[knobs]
reuse_factor = 16
[sweep]
reuse_factor = [16, 64]
"""

SEARCH = """
[search]
trials = 3
epochs = 2
[search.space]
width = { low = 2, high = 4, step = 2 }
bits = [3, 4]
"""

OBJECTIVES = SEARCH.replace("trials = 3", "trials = 3\nobjectives = ['r2', 'rmse']")

FLOAT = PROJECT.replace('quantized = "quantized"\n', "") + "[quantize]\nbits = 6\nepochs = 2\n"


def project_of(folder: Path, text: str = PROJECT + SEARCH, model: str = MODEL) -> Project:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "project.toml").write_text(text)
    (folder / "model.py").write_text(model)
    return load(folder)


def book_of(project: Project, storage: str, place: Path) -> Book:
    table = search_of(project)
    return Book(storage, project.name, question(project, table), table, place)


def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'search.db'}"


def test_arguments_reach_the_builders_that_take_them(tmp_path: Path) -> None:
    text = PROJECT.replace("[model]", "[model]\narguments = { width = 7, bits = 5 }")
    project = project_of(tmp_path, text)
    assert build(project, "quantized").layers[0].units == 7
    assert build(project, "quantized").layers[0].kernel_quantizer_internal.bits == 5
    assert build(project, "baseline").layers[0].units == 7


def test_the_digits_builder_without_arguments_is_the_network_of_the_readme() -> None:
    project = load(Path(__file__).parents[2] / "projects" / "digits")
    assert project.model.arguments == {}
    shapes = [weight.shape for weight in build(project, "quantized").get_weights()]
    assert shapes == [(64, 32), (32,), (32, 32), (32,), (32, 10), (10,)]
    deep = trial_project(project, {"width": 8, "depth": 3, "bits": 4})
    assert [weight.shape[-1] for weight in build(deep, "quantized").get_weights()[::2]] == [8, 8, 8, 10]


def test_a_trial_is_a_project_of_its_own(tmp_path: Path) -> None:
    project = project_of(tmp_path)
    trial = trial_project(project, {"width": 2, "bits": 3, "knobs.reuse_factor": 8})
    assert trial.model.arguments == {"width": 2, "bits": 3}
    assert trial.model.baseline is None
    assert trial.training is not None
    assert trial.training.epochs == 2
    assert trial.reuse_factors == (8,)
    assert trial.target == project.target
    keys = {
        digest(one.digest_fields("model"))
        for one in (trial, trial_project(project, {"width": 4, "bits": 3, "knobs.reuse_factor": 8}))
    }
    assert len(keys) == 2


def test_a_point_is_written_as_the_project_it_was(tmp_path: Path) -> None:
    project, values = project_of(tmp_path / "tiny"), {"width": 2, "bits": 3}
    written = load(write_project(project, values, "a note", tmp_path / "front" / "01"))
    trial = trial_project(project, values)
    assert written.model_dump(exclude={"folder"}) == trial.model_dump(exclude={"folder"})
    assert (written.folder / "project.toml").read_text().startswith("# a note\n")


def test_a_float_model_is_searched_by_keys_of_the_project_file(tmp_path: Path) -> None:
    text = FLOAT + '[search.space]\nquantize.bits = [4, 6]\n"quantize.layers.dense_1.weight" = [2, 3]\nwidth = [4]\n'
    project = project_of(tmp_path, text)
    found = networks(search_of(project))
    assert len(found) == 4 == size(search_of(project))
    trial = trial_project(project, found[0])
    assert trial.quantize is not None
    assert (trial.quantize.bits, trial.quantize.of("dense_1").weight) == (4, 2)
    assert trial.model.baseline == "baseline"
    assert trial.model.arguments == {"width": 4}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("widht = [2, 4]", "take no argument 'widht', which search.space names; did you mean width?"),
        ('"knobs.reuse_facto" = [2, 4]', "knobs.reuse_facto is not a known key; did you mean"),
        ('"data.seed" = [1, 2]', "search.space varies data.seed"),
        ("width = { low = 4, high = 2 }", "high 2 is below low 4"),
        ("width = { low = 2, high = 4, steps = 2 }", "steps is not a known key; did you mean step"),
        ("width = { low = 2, high = 4, step = 0.5 }", "step 0.5 leaves the whole numbers"),
        ("bits = []", "search.space.bits"),
        ("bits = [3, 3]", "3 stands there more than once"),
        ("bits = 3", "search.space.bits"),
        ("", "search.space"),
    ],
)
def test_a_wrong_space_is_one_clear_error(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as caught:
        search_of(project_of(tmp_path, f"{PROJECT}[search.space]\n{text}\n"))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PROJECT, "'tiny' has no [search] table"),
        (FLOAT.replace("epochs = 2", "epochs = 0") + "[search.space]\nquantize.bits = [4]\n", "no quantized network"),
    ],
)
def test_a_project_without_a_search_is_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as caught:
        searching.search(project_of(tmp_path, text), Options(), tmp_path / "build")
    assert said in str(caught.value)


def test_an_argument_that_no_builder_takes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"take no argument 'bit', which model.arguments names; did you mean bits"):
        project_of(tmp_path, PROJECT.replace("[model]", "[model]\narguments = { bit = 5 }"))


@pytest.mark.parametrize("storage", ["trials", "postgres://host/db", "sqlite:////no/such/folder/search.db"])
def test_a_storage_that_is_none_is_one_clear_error(storage: str, tmp_path: Path) -> None:
    with pytest.raises(FlowError, match=r"storage|cannot be used"):
        book_of(project_of(tmp_path), storage, tmp_path)


def test_a_server_that_does_not_answer_or_has_no_driver_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(FlowError) as caught:
        book_of(project_of(tmp_path), "postgresql://me:secret@127.0.0.1:1/trials", tmp_path)
    assert "secret" not in str(caught.value)
    try:
        import psycopg  # noqa: F401
    except ImportError:
        assert "hlsflow[postgresql]" in caught.value.hint
    else:
        assert isinstance(caught.value, StorageError)
        assert "cannot be used" in str(caught.value)


def _carry_out(book: Book, count: int) -> list[dict[str, Any]]:
    """Trials whose figures are made of their values: the more bits, the better and larger."""
    made = []
    for _ in range(count):
        found = book.next()
        if found is None:
            break
        trial, values = found
        made.append(values)
        size = float(values["width"]) * float(values["bits"])
        book.keep(trial, {"size": size}, [size, size, 7.0 - float(values["width"])])
    return made


WIDE = "[search.space]\nwidth = { low = 1, high = 6 }\nbits = [3, 4, 5, 6]\n"


def test_a_search_that_was_killed_suggests_what_one_that_was_not_does(tmp_path: Path) -> None:
    project = project_of(tmp_path, PROJECT + WIDE)
    whole = _carry_out(book_of(project, sqlite(tmp_path), tmp_path), 13)
    (tmp_path / "killed").mkdir()
    place = sqlite(tmp_path / "killed")
    first = _carry_out(book_of(project, place, tmp_path), 9)
    begun = book_of(project, place, tmp_path).next()
    assert begun is not None
    after = book_of(project, place, tmp_path)
    assert len(after.finished()) == 9
    assert after.elsewhere() == 0
    rest = _carry_out(after, 4)
    assert rest[0] == begun[1]
    assert first + rest == whole
    assert len({json.dumps(values) for values in whole}) == 13


def test_no_network_is_tried_twice_and_a_small_space_ends(tmp_path: Path) -> None:
    project = project_of(tmp_path, PROJECT + WIDE.replace("high = 6", "high = 3").replace(", 5, 6]", "]"))
    book = book_of(project, sqlite(tmp_path), tmp_path)
    made = _carry_out(book, 100)
    assert sorted(map(str, made)) == sorted(map(str, networks(search_of(project))))
    assert book.next() is None
    best = book.front()
    assert {one.values["width"] for one in best} == {1, 2, 3}


def test_others_at_the_same_database_keep_their_trials(tmp_path: Path) -> None:
    project = project_of(tmp_path, PROJECT + WIDE)
    mine, theirs = (book_of(project, sqlite(tmp_path), tmp_path / name) for name in ("a", "b"))
    begun, other = mine.next(), theirs.next()
    assert begun is not None
    assert other is not None
    assert begun[0].number != other[0].number
    assert mine.elsewhere() == theirs.elsewhere() == 1


def test_a_trial_that_failed_keeps_its_reason(tmp_path: Path) -> None:
    book = book_of(project_of(tmp_path), sqlite(tmp_path), tmp_path)
    found = book.next()
    assert found is not None
    book.fail(found[0], "a layer is not supported")
    assert [(one.result, one.reason) for one in book.finished()] == [(None, "a layer is not supported")]


@pytest.mark.parametrize(
    ("before", "after", "differs"),
    [
        ("bits = [3, 4]", "bits = [3, 5]", "space"),
        ("epochs = 2\n", "", "epochs"),
        ("learning_rate = 0.01", "learning_rate = 0.02", "project"),
        ("trials = 3", "objectives = ['accuracy', 'dsp']", "objectives"),
    ],
)
def test_trials_of_another_search_are_not_mixed_in(before: str, after: str, differs: str, tmp_path: Path) -> None:
    book_of(project_of(tmp_path), sqlite(tmp_path), tmp_path)
    book_of(project_of(tmp_path, (PROJECT + SEARCH).replace("trials = 3", "trials = 9")), sqlite(tmp_path), tmp_path)
    changed = project_of(tmp_path, (PROJECT + SEARCH).replace(before, after))
    with pytest.raises(ProjectError, match=f"is of another search: {differs} differ"):
        book_of(changed, sqlite(tmp_path), tmp_path)


def test_trials_of_other_helpers_are_not_mixed_in(tmp_path: Path) -> None:
    """A helper beside model.py is no part of the question, but of what a trial has read."""
    project, book = project_of(tmp_path / "p"), book_of(project_of(tmp_path / "p"), sqlite(tmp_path), tmp_path)
    helper = project.folder / "blocks.py"
    helper.write_text("WIDTH = 8")
    found = book.next()
    assert found is not None
    book.keep(found[0], {"read": {"blocks.py": file_digest(helper)}}, [1.0, 1.0, 1.0])
    require_same_code(project, book)
    (project.folder / "notes.txt").write_text("other")
    require_same_code(project, book)
    for change in (lambda: helper.write_text("WIDTH = 9"), helper.unlink):
        change()
        with pytest.raises(ProjectError, match=r"trial 1 was built by another blocks\.py"):
            require_same_code(project, book)


@pytest.fixture
def server() -> Iterator[str]:
    """A PostgreSQL server of its own, with an empty database; the address."""
    pytest.importorskip("psycopg", reason="the extra 'postgresql' is not installed")
    found = [Path(name).parent for name in [shutil.which("initdb") or "", *map(str, _installed())] if name]
    if not found:
        pytest.skip("no PostgreSQL server is installed here")
    user = "nobody" if getpass.getuser() == "root" else None  # a server does not run as root
    place = Path(tempfile.mkdtemp(prefix="hlsflow"))  # a short path, as that of a socket must be
    if user is not None:
        shutil.chown(place, user)
    control = [found[-1] / "pg_ctl", "-D", place / "data"]

    def call(*words: str | Path) -> None:
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, user=user, cwd=place)

    try:
        call(found[-1] / "initdb", "-D", place / "data", "-A", "trust", "-U", "me")
        call(*control, "-w", "-l", place / "log", "-o", f"-k {place} -c listen_addresses=", "start")
        yield f"postgresql://me@/postgres?host={place}"
    finally:
        call(*control, "-m", "immediate", "stop")
        shutil.rmtree(place)


def _installed() -> list[Path]:
    return sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


def test_a_real_postgresql_server_keeps_the_trials(server: str, tmp_path: Path) -> None:
    project = project_of(tmp_path / "project", PROJECT + WIDE)
    made = _carry_out(book_of(project, server, tmp_path), 5)
    again = book_of(project, server, tmp_path)
    assert [dict(one.values) for one in again.finished()] == made
    assert made == _carry_out(book_of(project, sqlite(tmp_path), tmp_path), 5)


def told_of(figures: list[Any]) -> list[Any]:
    """What two runs tell alike: all but how long a tool took."""
    return [one for one in figures if one["name"] != "seconds"]


@pytest.mark.slow
def test_a_search_ends_in_projects_that_run_to_the_same_figures(tmp_path: Path) -> None:
    project = project_of(tmp_path / "tiny")
    arguments = ["search", str(project.folder), "--build", str(tmp_path / "build")]
    assert main([*arguments, "--trials", "2"]) == 0
    assert main(arguments) == 0
    folder = tmp_path / "build" / "tiny" / "search"
    rows = list(csv.DictReader((folder / "search.csv").open()))
    assert [row["trial"] for row in rows] == ["1", "2", "3"]
    for row in rows:
        assert 0 < float(row["validation_accuracy"]) <= 1
        assert int(row["lut"]) > 0
    told = json.loads((folder / "search.json").read_text())
    assert told["front"]
    point = told["front"][0]
    figures = {(one["name"], one["stage"]): one["value"] for one in point["metrics"]}
    trial = next(one for one in told["trials"] if one["trial"] == point["trial"])
    assert figures["latency_cycles", "simulated"] == trial["predicted"]["latency_cycles"]
    assert "validation accuracy" in (folder / "search.md").read_text()
    from hlsflow.pipeline.run import CONFIRM_STEPS, run

    written = load(folder / point["project"])
    results = run(written, tmp_path / "fresh", CONFIRM_STEPS)  # trained anew, from nothing
    assert told_of(measured(results)[0].to_json()) == told_of(point["metrics"])
    assert all(done.reused for done in run(written, tmp_path / "build", CONFIRM_STEPS).work)


@pytest.mark.slow
def test_a_regression_is_searched_by_the_variance_it_explains(tmp_path: Path) -> None:
    """On the validation set, in place of the accuracy; errors stand in the figures besides."""
    random = np.random.default_rng(0)
    x = random.integers(0, 17, (300, 64))
    text = PROJECT.replace('source = "digits"', 'source = "x.npz"').replace('baseline = "baseline"\n', "")
    model = MODEL.replace("QDense(10", "QDense(1")
    project = project_of(tmp_path / "p", text + SEARCH.replace("trials = 3", "trials = 2"), model)
    np.savez(tmp_path / "p" / "x.npz", x=x, y=x[:, :8].mean(1) / 16 + 0.01)
    outcome, folder = search(project, Options(jobs=1), tmp_path / "build", Progress(io.StringIO()))
    assert outcome.search.objectives == ("r2", "lut", "latency_cycles")
    rows = list(csv.DictReader((folder / "search.csv").open()))
    assert len(rows) == 2
    assert all(float(row["validation_r2"]) < 1 and float(row["test_r2"]) < 1 for row in rows)
    told = [one.figures for one in outcome.trials]
    y = load_data(project).y_val
    for figures in told:
        by_name = {one.name: one.value for one in figures if one.target == "validation samples"}
        assert by_name["r2"] == pytest.approx(1 - by_name["rmse"] ** 2 / np.var(y), rel=1e-3)
        assert by_name["mae"] <= by_name["rmse"]
    assert "validation R²" in (folder / "search.md").read_text()


@pytest.mark.parametrize(
    ("kind", "names", "said"),
    [
        (Kind.REGRESSION, ("accuracy", "lut"), "search.objectives has accuracy, and the task is regression"),
        (Kind.CLASSES, ("rmse", "r2"), "search.objectives has rmse, r2, and the task is classes"),
    ],
)
def test_objectives_of_another_task_are_refused(kind: Kind, names: tuple[str, ...], said: str, tmp_path: Path) -> None:
    text = SEARCH.replace("trials = 3", f"trials = 3\nobjectives = {list(names)}")
    table = search_of(project_of(tmp_path, PROJECT + text))
    with pytest.raises(ProjectError, match=said):
        fitting(table, kind)


def test_larger_r2_and_smaller_errors_are_better(tmp_path: Path) -> None:
    book = book_of(project_of(tmp_path, PROJECT + OBJECTIVES), sqlite(tmp_path), tmp_path)
    for figures in ([0.9, 1.0], [0.8, 2.0], [0.7, 0.5]):
        trial, _ = book.next() or (None, None)
        book.keep(trial, {}, figures)
    assert len(book.front()) == 2  # 0.8 with an error of 2 is beaten in both


@pytest.mark.slow
def test_a_killed_search_goes_on_and_a_network_that_cannot_be_built_is_told(tmp_path: Path) -> None:
    model = MODEL.replace("    grid =", "    if width == 2:\n        raise ValueError('too narrow')\n    grid =", 1)
    project = project_of(tmp_path / "tiny", (PROJECT + SEARCH).replace("trials = 3", "trials = 4"), model)
    command = [sys.executable, "-m", "hlsflow", "search", str(project.folder), "--build", str(tmp_path / "build")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        while "accuracy" not in (running.stdout.readline() or "accuracy"):
            pass
        time.sleep(1)
        running.kill()
    said: list[str] = []

    class Heard(Progress):
        def say(self, text: str) -> None:
            if not text.startswith("at work: "):  # of a machine that takes half a minute for a trial
                said.append(text)

    outcome, _ = searching.search(project, Options(), tmp_path / "build", Heard())
    assert len(outcome.trials) == 4
    assert len(said) < 4 + len(outcome.points)
    failed = [one for one in outcome.trials if one.reason]
    assert len(failed) == 2
    assert all("too narrow" in one.reason for one in failed)


@pytest.mark.slow
def test_a_trial_that_is_not_exact_ends_the_search(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = PROJECT + '[search]\nepochs = 1\n[search.space]\nwidth = [4]\nknobs.precision.accum = ["fixed<6,3>"]\n'
    project = project_of(tmp_path / "tiny", text)
    for _ in range(2):  # it is tried again, and is no trial that failed
        assert main(["search", str(project.folder), "--build", str(tmp_path / "build")]) == 3
        told = capsys.readouterr().err
        assert "trial 1/30, width=4, knobs.precision.accum=fixed<6,3>: " in told
        assert "q_dense" in told


def test_reuse_factors_of_the_command_line_are_no_part_of_a_search(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = project_of(tmp_path)
    assert main(["search", str(project.folder), "--reuse-factor", "4", "--build", str(tmp_path / "build")]) == 2
    assert "knobs.reuse_factor" in capsys.readouterr().err
    assert not (tmp_path / "build").exists()
