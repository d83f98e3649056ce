"""Turns what pydantic found wrong with a project file into lines a user can act on.

In: the model class and pydantic's error. Out: one line a problem: the key's dotted path, what is wrong with it, what is
allowed, and the nearest valid name.
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

Loc = tuple[int | str, ...]
Details = Mapping[str, Any]
Shape = type[BaseModel]


HIDDEN = ":"
"""First character of the tag of an option, which is no part of a key's path."""


def explain(shape: Shape, error: ValidationError) -> list[str]:
    """One line a problem, in the order of the file's sections."""
    return [_line(shape, details) for details in error.errors(include_url=False)]


def nearest(name: str, names: Iterable[str]) -> str:
    """`; did you mean …?` with the most similar name, or nothing when none is similar."""
    close = difflib.get_close_matches(name, list(names), 1, 0.5)
    return f"; did you mean {close[0]}?" if close else ""


MOST_NAMES = 12
"""Names that a hint lists; a reader does not look through more."""


def listed(name: str, names: Iterable[str]) -> str:
    """Names to choose from instead of `name`: all, or those that are most like it and how many more there are."""
    choices = list(names)
    if len(choices) <= MOST_NAMES:
        return ", ".join(choices) or "none"
    close = difflib.get_close_matches(name, choices, MOST_NAMES, 0.0)
    return f"{', '.join(close)}, and {len(choices) - len(close)} more"


def _line(shape: Shape, details: Details) -> str:
    loc: Loc = tuple(part for part in details["loc"] if not str(part).startswith(HIDDEN))
    details = {**details, "loc": loc}
    describe = _DESCRIBE.get(details["type"], _plain)
    if loc and loc[-1] == "[key]":  # pydantic's mark for the key of a table, as opposed to its value
        return _unknown_key(shape, {**details, "loc": loc[:-1]})
    return describe(shape, details)


def _path(loc: Loc) -> str:
    """`knobs.layers.fc1.precision` or `sweep.reuse_factor[2]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".") or "the file"


def _unknown_key(shape: Shape, details: Details) -> str:
    loc: Loc = details["loc"]
    key, allowed = str(loc[-1]), _keys_at(shape, loc[:-1])
    hint = _elsewhere(shape, key) or nearest(key, allowed)
    return f"{_path(loc)} is not a known key{hint or ';'} allowed: {', '.join(allowed)}"


def _elsewhere(shape: Shape, key: str) -> str:
    """The key may belong to another table."""
    paths = [path for path in _all_paths(shape) if path.split(".")[-1] == key]
    return f"; did you mean {paths[0]}?" if paths else ""


def _missing(shape: Shape, details: Details) -> str:
    return f"{_path(details['loc'])} is missing, and has no default"


def _choice(shape: Shape, details: Details) -> str:
    value, options = details["input"], str(details["ctx"]["expected"]).replace(" or ", ", ")
    names = [option.strip("'") for option in options.split(", ")]
    return f"{_path(details['loc'])} is {value!r}{nearest(str(value), names) or ';'} allowed: {', '.join(names)}"


def _value(shape: Shape, details: Details) -> str:
    return f"{_path(details['loc'])}: {details['ctx']['error']}"


def _pattern(shape: Shape, details: Details) -> str:
    loc = details["loc"]
    return f"{_path(loc)} is {details['input']!r}; {_FORMS.get(_path(loc), _FORMS['name'])}"


def _table(shape: Shape, details: Details) -> str:
    return f"{_path(details['loc'])} is {_shown(details['input'])}, but it should be a table"


def _plain(shape: Shape, details: Details) -> str:
    message = str(details["msg"]).removeprefix("Input ").removeprefix("Value ").replace(" after validation", "")
    return f"{_path(details['loc'])} is {_shown(details['input'])}, but it {message}"


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    return f"{value!r} ({_TOML_NAMES.get(type(value), type(value).__name__)})"


_TOML_NAMES: Mapping[type, str] = {
    bool: "true or false",
    int: "an integer",
    float: "a float",
    str: "a string",
    list: "an array",
    tuple: "an array",
}

_FORMS: Mapping[str, str] = {
    "name": "allowed: a name of letters, digits and _, beginning with a letter (the project's name in lower case)",
    "data.source": "allowed: digits, digits_fusion, mnist, cifar10, jets, synthetic_jets, or the path of an .npz, .csv "
    "or .parquet file",
    "model.file": "allowed: the path of an .h5 or .keras file",
    "target.part": "allowed: a part such as xcu250-figd2104-2L-e",
    "target.route_part": "allowed: an ECP5 part as Lattice writes it, such as LFE5U-45F-6BG381C",
    "target.prefix": "allowed: letters, digits and _, beginning with a letter or _, such as jets_",
}
"""What the keys with a fixed form look like."""

_DESCRIBE: Mapping[str, Callable[[Shape, Details], str]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing,
    "literal_error": _choice,
    "enum": _choice,
    "value_error": _value,
    "string_pattern_mismatch": _pattern,
    "model_type": _table,
    "model_attributes_type": _table,
    "dict_type": _table,
    "mapping_type": _table,
}


def _keys_at(shape: Shape, loc: Loc) -> list[str]:
    """The keys that the table at `loc` may have."""
    kind: Any = shape
    for part in loc:
        kind = _step(kind, part)
    return _keys(kind)


def _step(kind: Any, part: int | str) -> Any:
    kind = _bare(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind.model_fields[str(part)].annotation
    return get_args(kind)[1] if get_origin(kind) is Mapping else kind


def _bare(kind: Any) -> Any:
    """The type without `Annotated` and `| None`."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        return _bare(next(option for option in get_args(kind) if option is not type(None)))
    return kind


def _keys(kind: Any) -> list[str]:
    kind = _bare(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return list(kind.model_fields)
    if get_origin(kind) is Mapping:
        names = _bare(get_args(kind)[0])
        return [choice.value for choice in names] if isinstance(names, type) and issubclass(names, Enum) else []
    return []


def _all_paths(shape: Shape, prefix: str = "") -> Iterator[str]:
    for key, field in shape.model_fields.items():
        yield prefix + key
        kind = _bare(field.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _all_paths(kind, f"{prefix}{key}.")
