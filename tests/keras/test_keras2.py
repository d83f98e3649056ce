"""Which Keras: version 2 is made ready without an import of version 3."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from hlsflow.keras import keras2


def test_keras_3_is_not_imported_where_it_is_not_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    with pytest.raises(ImportError), keras2.without_keras3():
        import keras  # noqa: F401
    assert "keras" not in sys.modules  # so that who asks for it later gets it


def test_a_keras_3_that_is_in_use_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    there = ModuleType("keras")
    monkeypatch.setitem(sys.modules, "keras", there)
    with keras2.without_keras3():
        import keras

        assert keras is there
    assert sys.modules["keras"] is there
