"""The knobs of an hls4ml project that anybody wrote: `hls4ml_config.yml`, and what `project.tcl` says besides.

In: a project folder. Out: `Config`: backend, part, clock, and the settings of the model and of each layer, as text. No
model is loaded: what a file names in a tag of its own, such as `!keras_model`, is taken as the text behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hlsflow.core import foreign
from hlsflow.toolchains.reports.text import read_text

CONFIG = "hls4ml_config.yml"
PROJECT_TCL = "project.tcl"
KIND = foreign.Kind("hls4ml configuration", "is no YAML", "write the project again with hls4ml", limit=2 * foreign.MIB)
SETTING = re.compile(r"^\s*set\s+(\w+)\s+\"?([^\"\s]+)\"?")
TCL_NAMES: Mapping[str, str] = {
    "project_name": "ProjectName",
    "backend": "Backend",
    "part": "Part",
    "clock_period": "ClockPeriod",
}
"""What project.tcl calls a setting → what the configuration calls it."""

GENERAL = ("ProjectName", "Backend", "Part", "ClockPeriod", "ClockUncertainty", "IOType", "Board")
"""Settings of the whole project."""

OLD_NAMES: Mapping[str, str] = {"XilinxPart": "Part"}
"""What hls4ml up to 0.5 called a setting → what it is called since."""


@dataclass(frozen=True)
class LayerSettings:
    """The settings of a layer: name such as `weight` (a precision), `ReuseFactor`, `Strategy` → text."""

    name: str
    settings: Mapping[str, str]


@dataclass(frozen=True)
class Config:
    """What a project was written with.

    Attributes:
        general: `GENERAL` setting → text, of those that are known.
        model: settings of all layers that have none of their own.
        layers: in the order of the file.
        places: setting → (file, text) for each file that has it, so that disagreement can be seen.
    """

    general: Mapping[str, str]
    model: Mapping[str, str]
    layers: tuple[LayerSettings, ...]
    places: Mapping[str, tuple[tuple[str, str], ...]]

    @property
    def clock_ns(self) -> float | None:
        """The clock period asked for, or None."""
        try:
            return float(self.general["ClockPeriod"])
        except (KeyError, ValueError):
            return None


PLAIN = ("null", "bool", "int", "float", "binary", "timestamp", "seq", "map", "str")
STANDARD = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML ships no types
    """Loads plain values; of a value with a tag of its own the text behind the tag, and nothing of what it stands for.

    Its table of constructors is its own: hls4ml, once imported, teaches PyYAML's safe loader to load Keras models. It
    also writes whole models into its configuration, as Python objects.
    """

    layers = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """As PyYAML's, which would go down as deep as a file asks for."""
        self.layers += 1
        if self.layers > foreign.DEPTH:
            raise ValueError(f"it has more than {foreign.DEPTH} layers within each other")
        node = super().compose_node(parent, index)
        self.layers -= 1
        return node

    def flatten_mapping(self, node: yaml.Node) -> None:
        """Takes `<<` as a name like others: merged tables can grow without end, and hls4ml writes none."""


def _untagged(_: _Loader, node: yaml.Node) -> str | None:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else None


_Loader.yaml_constructors = {
    None: _untagged,
    **{STANDARD + name: getattr(yaml.constructor.SafeConstructor, f"construct_yaml_{name}") for name in PLAIN},
}
_Loader.yaml_multi_constructors = {}


def read(folder: Path) -> Config | None:
    """The configuration of a project; None when the folder has none.

    Raises:
        DataError: a file of it cannot be read.
    """
    config = _load(folder / CONFIG) if (folder / CONFIG).exists() else {}
    values = [*_from_yaml(config), *_from_tcl(folder / PROJECT_TCL)]
    if not values:
        return None
    places: dict[str, tuple[tuple[str, str], ...]] = {}
    for name, file, value in values:
        places[name] = (*places.get(name, ()), (file, value))
    hls = _mapping(config.get("HLSConfig"))
    return Config(
        general={name: values[0][1] for name, values in places.items()},
        model=_settings(_mapping(hls.get("Model"))),
        layers=tuple(
            LayerSettings(str(name), _settings(_mapping(values)))
            for key in ("LayerName", "LayerType")
            for name, values in _mapping(hls.get(key)).items()
        ),
        places=places,
    )


def _from_yaml(config: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    names = {**{name: name for name in GENERAL}, **OLD_NAMES}
    yield from ((name, CONFIG, str(config[key])) for key, name in names.items() if _is_plain(config.get(key)))


def _is_plain(value: object) -> bool:
    """Whether it can be told in a word; a list or table that YAML repeats may have no end."""
    return isinstance(value, str | int | float)


def _from_tcl(file: Path) -> Iterator[tuple[str, str, str]]:
    if file.is_file():
        for line in read_text(file, "project script").lines:
            match = SETTING.match(line)
            if match and match.group(1) in TCL_NAMES:
                yield TCL_NAMES[match.group(1)], PROJECT_TCL, match.group(2)


def _load(file: Path) -> Mapping[str, Any]:
    values = foreign.parsed(file, KIND, _loaded)
    if not isinstance(values, Mapping):
        KIND.refuse(file, "holds no settings")
    return values


def _loaded(content: bytes) -> Any:
    try:
        return yaml.load(content, _Loader)
    except yaml.YAMLError as error:  # what is wrong, and where, are on several lines
        raise ValueError(" ".join(str(error).split())) from error


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _settings(values: Mapping[str, Any]) -> dict[str, str]:
    """Settings as text; the precisions of a layer become settings of their own."""
    settings: dict[str, str] = {}
    for name, value in values.items():
        if name == "Precision" and isinstance(value, Mapping):
            settings |= {str(part): str(kind) for part, kind in value.items() if _is_plain(kind)}
        elif _is_plain(value):
            settings[str(name)] = str(value)
    return settings
