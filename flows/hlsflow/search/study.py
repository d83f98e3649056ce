"""The trials of a search in a database: a file of SQLite, or a server of PostgreSQL.

In: the address of a storage, and what is searched. Out: a `Book` that hands out trials and keeps their results. A trial
that was begun and not finished here is handed out again, so that a killed search loses nothing. The sampler is seeded
by the number of the trial: a search that was interrupted suggests what an uninterrupted one does.

The sampler is a tree-structured Parzen estimator of several objectives (Ozaki et al., "Multiobjective Tree-Structured
Parzen Estimator", 2022), as Optuna has it.
"""

from __future__ import annotations

import json
import random
import socket
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hlsflow.core.errors import FlowError, ProjectError, StorageError
from hlsflow.project import Scalar, Search
from hlsflow.project.search import LARGER_IS_BETTER
from hlsflow.search.space import Values, networks, size, suggest

REPEATS = 10
"""Suggestions in a row that were tried already, after which a random one of the others is taken."""

CONNECT_S = 10
"""How long a server may take to answer."""

DRIVER = "pip install 'hlsflow[postgresql]'"


@dataclass(frozen=True)
class Finished:
    """A trial that is over.

    Attributes:
        number: from 0, as the database counts.
        values: of the names in the space.
        result: what `Book.keep` was given; None for a trial that failed.
        reason: why it failed.
    """

    number: int
    values: Values
    result: Mapping[str, Any] | None
    reason: str = ""


class Book:
    """The trials of one search.

    Args:
        storage: its address, `sqlite:///file` or `postgresql://user@host/database`.
        name: of the study there.
        question: plain JSON values: all that decides what a trial's figures mean.
        search: the space and the objectives.
        place: the folder of this search; several on one server are told apart by it.
    Raises:
        StorageError: there is no such storage. ProjectError: the study there is of something else.
    """

    def __init__(self, storage: str, name: str, question: Mapping[str, Any], search: Search, place: Path) -> None:
        import optuna

        self._search, self._worker = search, f"{socket.gethostname()}:{place.resolve()}"
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        directions = ["maximize" if objective in LARGER_IS_BETTER else "minimize" for objective in search.objectives]
        with storage_errors(storage):
            self._study = optuna.create_study(
                storage=_open(storage), study_name=name, directions=directions, load_if_exists=True
            )
            _require_same(self._study, question, storage)

    def finished(self) -> list[Finished]:
        """The trials that are over, without those that repeated another one."""
        return [finished for trial in self._study.get_trials() if (finished := _finished(trial)) is not None]

    def elsewhere(self) -> int:
        """Trials that others are at."""
        return sum(trial.user_attrs.get("worker") != self._worker for trial in self._running())

    def front(self) -> list[Finished]:
        """The trials that no other one beats; of those with equal figures the first."""
        by_figures: dict[tuple[float, ...], Finished | None] = {}
        for trial in sorted(self._study.best_trials, key=lambda best: best.number):
            by_figures.setdefault(tuple(trial.values), _finished(trial))
        return [finished for finished in by_figures.values() if finished is not None]

    def next(self) -> tuple[Any, dict[str, Scalar]] | None:
        """A trial to carry out, with its values; None when the whole space is tried."""
        for _ in range(REPEATS):
            tried = {_key(finished.values) for finished in self.finished()}
            if len(tried) >= size(self._search):
                return None
            trial, values = self._asked()
            if _key(values) not in tried:
                return trial, values
            self._study.tell(trial, state=_state("FAIL"))
        if size(self._search) == float("inf"):
            return self._asked()
        others = [values for values in networks(self._search) if _key(values) not in tried]
        self._study.enqueue_trial(random.Random(f"{self._search.seed} {len(tried)}").choice(others))
        return self._asked()

    def _asked(self) -> tuple[Any, dict[str, Scalar]]:
        """A trial that was begun here and not finished, or a new one."""
        import optuna

        mine = [trial for trial in self._running() if trial.user_attrs.get("worker") == self._worker]
        self._study.sampler = self._sampler(mine[0].number if mine else len(self._study.get_trials(deepcopy=False)))
        trial = optuna.trial.Trial(self._study, mine[0]._trial_id) if mine else self._study.ask()
        trial.set_user_attr("worker", self._worker)
        return trial, suggest(trial, self._search)

    def _sampler(self, number: int) -> Any:
        import optuna

        seed = int(np.random.SeedSequence((self._search.seed, number)).generate_state(1)[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.samplers.TPESampler(seed=seed)

    def keep(self, trial: Any, result: Mapping[str, Any], objectives: list[float]) -> None:
        """A trial's result, as plain JSON values, and its objectives."""
        trial.set_user_attr("result", dict(result))
        self._study.tell(trial, objectives)

    def fail(self, trial: Any, reason: str) -> None:
        """A trial whose network cannot be built."""
        trial.set_user_attr("reason", reason)
        self._study.tell(trial, state=_state("FAIL"))

    def _running(self) -> list[Any]:
        return list(self._study.get_trials(states=(_state("RUNNING"),)))


def _state(name: str) -> Any:
    import optuna

    return optuna.trial.TrialState[name]


def _finished(trial: Any) -> Finished | None:
    result, reason = trial.user_attrs.get("result"), trial.user_attrs.get("reason", "")
    if trial.state == _state("COMPLETE"):
        return Finished(trial.number, dict(trial.params), result)
    return (
        Finished(trial.number, dict(trial.params), None, reason) if trial.state == _state("FAIL") and reason else None
    )


def _key(values: Values) -> str:
    return json.dumps(values, sort_keys=True)


def _require_same(study: Any, question: Mapping[str, Any], storage: str) -> None:
    """Figures of different questions must not stand side by side."""
    asked = json.loads(json.dumps(question))
    recorded = study.user_attrs.get("question")
    if recorded is None and not study.get_trials(deepcopy=False):
        study.set_user_attr("question", asked)
    elif recorded != asked:
        differing = [name for name in asked if not isinstance(recorded, dict) or recorded.get(name) != asked[name]]
        raise ProjectError(
            f"the study '{study.study_name}' in {shown(storage)} is of another search: {', '.join(differing)} differ",
            "name a new one by --study NAME, or give another --storage; the trials there stay",
        )


def _open(storage: str) -> Any:
    import optuna
    from sqlalchemy.engine import make_url

    url = make_url(storage)
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")  # SQLAlchemy before 2.1 would take another driver
    limits = {"connect_timeout": CONNECT_S} if url.drivername.startswith("postgresql") else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return optuna.storages.RDBStorage(
            url.render_as_string(hide_password=False), engine_kwargs={"connect_args": limits} if limits else None
        )


def shown(storage: str) -> str:
    """An address without its password."""
    from sqlalchemy.engine import make_url

    return make_url(storage).render_as_string(hide_password=True)


@contextmanager
def storage_errors(storage: str) -> Iterator[None]:
    """Turn what a database may raise into a StorageError, or ProjectError for an address that is none."""
    import optuna
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    try:
        yield
    except FlowError:
        raise
    except ArgumentError as error:
        raise ProjectError(
            "--storage is no address of a database", "write sqlite:///FILE or postgresql://USER@HOST/DATABASE"
        ) from error
    except (ImportError, ModuleNotFoundError) as error:
        raise ProjectError(f"{shown(storage)} needs a driver that is not installed: {error}", DRIVER) from error
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        first = str(error.__cause__ or error).strip().splitlines()[0]
        raise StorageError(
            f"{shown(storage)} cannot be used: {first}",
            "check that the server runs, the database is there and may be written; what was finished is kept",
        ) from error
