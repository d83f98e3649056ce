"""The LHC jets of OpenML: downloaded once, kept, and what stands in for them.

No test needs a network. OpenML's answer is a stand-in: four short files in the form of the real ones, either where
scikit-learn keeps them, or behind a server on this machine that calls itself OpenML.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hlsflow.core.errors import DataError, StorageError
from hlsflow.core.progress import Progress
from hlsflow.data import load_data
from hlsflow.data.openml import fetch, settled
from hlsflow.pipeline.run import CHECK_STEPS, run
from hlsflow.project import Project
from tests.qat.qat_project import MODEL, TOML, project_of

ROWS = 300
JETS = np.random.default_rng(0).normal(size=(ROWS, 16)).round(6)
CLASSES = np.array(list("gqtwz"))[np.arange(ROWS) * 7 % 5]
TEXT = TOML.replace('source = "digits"', 'source = "jets"').replace("scale = 0.0625", "standardize = true")
JET_TOML = TEXT.replace("ufixed<5,1>", "fixed<10,4,RND,SAT>").format(epochs=1)
ARFF = "data/v1/download/22044755/hls4ml_lhc_jets_hlf.arff"
JET_MODEL = MODEL.replace("(64,)", "(16,)").replace("10, kernel", "5, kernel").replace("Dense(10)", "Dense(5)")
FALLBACK = JET_TOML.replace("[model]", 'fallback = "synthetic_jets"\n[model]')


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty folders of this test alone, for what hlsflow and scikit-learn keep."""
    monkeypatch.setenv("HLSFLOW_DATA", str(tmp_path / "kept"))
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "learn"))
    return tmp_path


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """No network: a proxy that hangs up; each call to it is noted."""
    calls: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            while True:
                try:
                    caller, _ = server.accept()
                except OSError:
                    return
                calls.append(1)
                caller.close()

        threading.Thread(target=hang_up, daemon=True).start()
        monkeypatch.setattr(urllib.request, "_opener", None)  # it keeps the proxies of its first use
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.getsockname()[1]}")
        yield calls
        server.shutdown(socket.SHUT_RDWR)


def answers(jets: Any = JETS, classes: Any = CLASSES) -> dict[str, bytes]:
    """Path of an address → what OpenML answers: a stand-in for the real set, of the same form."""
    names = [f"f{number}" for number in range(jets.shape[1])]
    rows = "".join(
        ",".join([*map(repr, map(float, row)), kind]) + "\n" for row, kind in zip(jets, classes, strict=True)
    )
    kinds = ", ".join(sorted(set(classes)))
    head = "".join(f"@ATTRIBUTE {name} REAL\n" for name in names)
    arff = f"@RELATION jets\n{head}@ATTRIBUTE class {{{kinds}}}\n@DATA\n{rows}".encode()
    common = {"is_ignore": "false", "is_row_identifier": "false", "number_of_missing_values": "0"}
    features = [{"name": name, "data_type": "numeric", "is_target": "false", **common} for name in names]
    features.append({"name": "class", "data_type": "nominal", "is_target": "true", **common})
    for number, feature in enumerate(features):
        feature["index"] = str(number)
    description = {
        "id": "42468",
        "name": "hls4ml_lhc_jets_hlf",
        "version": "1",
        "description": "a stand-in",
        "format": "ARFF",
        "status": "active",
        "url": f"https://api.openml.org/{ARFF}",
        "md5_checksum": hashlib.md5(arff).hexdigest(),
    }
    files = {
        "api/v1/json/data/42468": {"data_set_description": description},
        "api/v1/json/data/features/42468": {"data_features": {"feature": features}},
        "api/v1/json/data/qualities/42468": {
            "data_qualities": {"quality": [{"name": "NumberOfInstances", "value": f"{len(jets)}.0"}]}
        },
    }
    contents = {path: json.dumps(content).encode() for path, content in files.items()}
    return contents | {ARFF: arff}


def answer(home: Path, jets: Any = JETS, classes: Any = CLASSES) -> None:
    """Put the answers where scikit-learn keeps them."""
    for path, content in answers(jets, classes).items():
        file = home / "learn" / "openml" / "openml.org" / f"{path}.gz"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.compress(content))


def jet_project(home: Path, text: str = FALLBACK) -> Project:
    return project_of(home / "project", text, JET_MODEL)


def told(work: Callable[[Callable[[str], None]], Any]) -> tuple[Any, list[str]]:
    lines: list[str] = []
    return work(lines.append), lines


def assert_jets(file: Path) -> None:
    with np.load(file) as kept:
        np.testing.assert_array_equal(kept["x"], JETS)
        np.testing.assert_array_equal(kept["labels"][kept["y"]], CLASSES)


def test_out_of_reach_is_found_out_by_one_call(home: Path, asked: list[int]) -> None:
    with pytest.raises(DataError, match=r"OpenML's set 42468\) are neither here nor to be downloaded: ") as caught:
        fetch(print)
    assert "data.fallback to 'synthetic_jets'" in caught.value.hint
    assert asked == [1]
    assert socket.getdefaulttimeout() is None
    assert not (home / "kept" / "jets.npz").exists()


def test_without_a_fallback_there_is_an_error(home: Path) -> None:
    project = jet_project(home, JET_TOML)
    assert (project.data_path, project.data_name) == (home / "kept" / "jets.npz", "jets")
    with pytest.raises(DataError, match="neither here nor to be downloaded"):
        load_data(project)


def test_a_stand_in_is_told_and_settled_once(home: Path, asked: list[int]) -> None:
    project, lines = told(lambda say: settled(jet_project(home), say))
    assert lines[-1] == ("data: 'synthetic_jets' stands in for 'jets', and every accuracy is one of 'synthetic_jets'")
    assert "neither here nor to be downloaded" in lines[-2]
    assert (project.data_path, project.data_name) == (None, "synthetic_jets")
    answer(home)  # too late for this run: all of its steps use the same samples
    assert told(lambda say: settled(project, say)) == (project, [])
    assert load_data(project).name == "synthetic_jets"
    assert asked == [1]


def test_other_projects_are_left_alone(home: Path, asked: list[int]) -> None:
    project = project_of(home / "project", TOML.format(epochs=1), MODEL)
    assert settled(project, print) is project
    assert asked == []


def test_jets_are_kept_and_read_without_network(home: Path, asked: list[int]) -> None:
    answer(home)
    project, lines = told(lambda say: settled(jet_project(home), say))
    assert lines == ["data: fetching the LHC jets, OpenML's set 42468, once"]
    shutil.rmtree(home / "learn")  # its own copy is enough from here on
    assert told(lambda say: settled(jet_project(home), say))[1] == []
    data = load_data(project)
    assert (data.name, data.shape, data.labels) == ("jets", (16,), ("g", "q", "t", "w", "z"))
    assert len(data.y_train) + len(data.y_val) + len(data.y_test) == ROWS
    assert asked == []
    assert_jets(home / "kept" / "jets.npz")


@pytest.mark.parametrize("damage", [lambda content: content[: len(content) // 2], lambda content: b""])
def test_a_damaged_copy_is_fetched_again(home: Path, damage: Callable[[bytes], bytes]) -> None:
    answer(home)
    file = fetch(print)
    content = file.read_bytes()
    file.write_bytes(damage(content))
    assert told(fetch)[1] == ["data: fetching the LHC jets, OpenML's set 42468, once"]
    assert_jets(file)


@pytest.mark.parametrize(("jets", "classes"), [(JETS[:, :15], CLASSES), (JETS, np.where(CLASSES == "z", "w", CLASSES))])
def test_another_set_is_refused(home: Path, jets: Any, classes: Any) -> None:
    answer(home, jets, classes)
    with pytest.raises(DataError, match=r"features and [45] classes, not 16 and 5"):
        fetch(print)


def test_a_folder_that_cannot_be_written_is_told(home: Path) -> None:
    answer(home)
    (home / "kept").write_text("no folder")
    with pytest.raises(StorageError, match="cannot keep the jets") as caught:
        fetch(print)
    assert "HLSFLOW_DATA" in caught.value.hint


class Server(ThreadingHTTPServer):
    """OpenML's stand-in: a proxy that answers itself, whatever host is asked for."""

    def __init__(self, certificate: Path, contents: Mapping[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate)
        self.contents, self.paths = contents, list[str]()


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_CONNECT(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
        self.close_connection = False

    def do_GET(self) -> None:
        path = self.path.lstrip("/")
        self.server.paths.append(path)
        content = self.server.contents.get(path)
        self.send_response(503 if content is None else 200)
        self.end_headers()
        self.wfile.write(content or b"")
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Trusted in this test alone."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    hosts = "subjectAltName=DNS:www.openml.org,DNS:api.openml.org"
    call = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=stand-in", "-addext", hosts]
    subprocess.run([*call, "-keyout", "key.pem", "-out", "cert.pem"], cwd=home, check=True, capture_output=True)
    both = home / "both.pem"
    both.write_bytes((home / "key.pem").read_bytes() + (home / "cert.pem").read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(home / "cert.pem"))
    with Server(both, answers()) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(urllib.request, "_opener", None)
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.server_address[1]}")
        yield server
        server.shutdown()


def test_jets_are_downloaded_once(home: Path, server: Server) -> None:
    assert_jets(fetch(print))
    parts = ["", "features/", "qualities/"]
    description, *_ = wanted = [*(f"api/v1/json/data/{part}42468" for part in parts), ARFF]
    assert server.paths == [description, *wanted]  # first whether anybody answers
    shutil.rmtree(home / "kept")
    assert_jets(fetch(print))  # from scikit-learn's copies
    assert len(server.paths) == 5


@pytest.mark.parametrize(("change", "said", "calls"), [(None, "HTTP Error 503", 1), (b"cut off", "md5", 6)])
def test_a_server_that_fails_is_told(change: bytes | None, said: str, calls: int, home: Path, server: Server) -> None:
    server.contents = {} if change is None else {**server.contents, ARFF: change}
    with pytest.raises(DataError, match=f"neither here nor to be downloaded: .*{said}"):
        fetch(print)
    assert len(server.paths) == calls  # a damaged file is fetched twice, but for that nothing is tried again
    assert not (home / "kept" / "jets.npz").exists()


def test_two_at_once_fetch_once(home: Path) -> None:
    answer(home)
    call = [sys.executable, "-c", "from hlsflow.data.openml import fetch; print(fetch(print))"]
    both = [subprocess.Popen(call, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert all(text.splitlines()[-1] == str(home / "kept" / "jets.npz") for text in said)
    assert "".join(said).count("fetching the LHC jets") == 1
    assert [file.name for file in (home / "kept").glob("*.npz")] == ["jets.npz"]


def test_every_accuracy_names_what_was_used(home: Path) -> None:
    project, build = jet_project(home), home / "build"

    def targets() -> set[str]:
        results = run(project, build, CHECK_STEPS, Progress(io.StringIO()))
        assert results.gate is not None
        assert results.gate.passed
        return {metric.target for metric in results.metrics}

    assert targets() == {"synthetic_jets, 4000 test samples", "synthetic_jets, first 1000 of 4000 test samples"}
    answer(home)
    assert targets() == {"jets, 60 test samples"}  # trained again, as the samples are others
    assert targets() == {"jets, 60 test samples"}
    assert len(list((build / "small" / "store" / "train").glob("*/qat.h5"))) == 2
