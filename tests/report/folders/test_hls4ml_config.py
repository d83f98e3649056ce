"""The settings of hls4ml projects."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from hlsflow.core.errors import DataError
from hlsflow.report.folders import hls4ml_config

CONFIG = """Backend: oneAPI
Part: Agilex7
ClockPeriod: 4.5
ProjectName: net
KerasModel: !keras_model 'model.h5'
HLSConfig:
  LayerName:
    fc1:
      Precision: {weight: 'fixed<8,1>', result: auto}
      ReuseFactor: 4
      Trace: false
  Model:
    Precision: {default: 'fixed<16,6>'}
    Strategy: Resource
"""


def test_settings_of_project_model_and_layers(tmp_path: Path) -> None:
    (tmp_path / "hls4ml_config.yml").write_text(CONFIG)
    config = hls4ml_config.read(tmp_path)
    assert config is not None
    assert config.general == {"Backend": "oneAPI", "Part": "Agilex7", "ClockPeriod": "4.5", "ProjectName": "net"}
    assert config.clock_ns == 4.5
    assert config.model == {"default": "fixed<16,6>", "Strategy": "Resource"}
    (layer,) = config.layers
    assert (layer.name, layer.settings) == (
        "fc1",
        {"weight": "fixed<8,1>", "result": "auto", "ReuseFactor": "4", "Trace": "False"},
    )


def test_the_script_tells_what_the_configuration_does_not(tmp_path: Path) -> None:
    assert hls4ml_config.read(tmp_path) is None
    (tmp_path / "project.tcl").write_text('set project_name "net"\nset part "xcu250"\nset clock_period ?\n')
    config = hls4ml_config.read(tmp_path)
    assert config is not None
    assert (config.general["ProjectName"], config.general["Part"], config.clock_ns) == ("net", "xcu250", None)
    assert config.places["Part"] == (("project.tcl", "xcu250"),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "is no YAML"),
        ("- 1\n", "holds no settings"),
        ("", "is empty"),
    ],
)
def test_configurations_that_cannot_be_read(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "hls4ml_config.yml").write_text(text)
    with pytest.raises(DataError, match=message):
        hls4ml_config.read(tmp_path)


def test_what_others_teach_the_safe_loader_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """hls4ml registers a constructor that loads the Keras model that a configuration names."""
    taught = {"!keras_model": lambda loader, node: pytest.fail("a model was loaded")}
    monkeypatch.setattr(yaml.SafeLoader, "yaml_constructors", yaml.SafeLoader.yaml_constructors | taught)
    (tmp_path / "hls4ml_config.yml").write_text(CONFIG)
    assert hls4ml_config.read(tmp_path) is not None


def test_objects_in_a_configuration_are_not_made(tmp_path: Path) -> None:
    """hls4ml writes a Keras model that was never saved as Python objects."""
    file = tmp_path / "made"
    model = f"!!python/object/apply:os.mkdir [{str(file)!r}]"
    (tmp_path / "hls4ml_config.yml").write_text(CONFIG.replace("!keras_model 'model.h5'", model))
    config = hls4ml_config.read(tmp_path)
    assert config is not None
    assert (config.general["Part"], file.exists()) == ("Agilex7", False)
