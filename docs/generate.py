"""Pages of the reference that are made from the code: the command line, the project file, the metrics.

In: the parser of the command line, the tables of the project file, the metrics. Out: Markdown beside the other pages of
the reference, not kept in the repository.
"""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hlsflow.__main__ import _parser
from hlsflow.core.metrics import UNITS, Stage
from hlsflow.project import ProjectFile


def write(folder: Path) -> None:
    """All generated pages."""
    pages = {"commands": commands(), "project-file": project_file(), "metrics": metrics()}
    for name, lines in pages.items():
        text = "\n".join(lines) + "\n"
        file = folder / f"{name}.generated.md"
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def commands() -> Iterator[str]:
    """The help of every command."""
    parser = _parser()
    yield "# The command line\n"
    yield f"```text\n{_help(parser)}```\n"
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                yield f"## hlsflow {name}\n\n```text\n{_help(command)}```\n"


def _help(parser: argparse.ArgumentParser) -> str:
    parser.formatter_class = type("Wide", (parser.formatter_class,), {"__init__": _wide(parser.formatter_class)})
    return parser.format_help()


def _wide(base: Any) -> Any:
    """The width of a page, whatever the terminal's that builds it."""

    def initialise(self: Any, prog: str) -> None:
        base.__init__(self, prog, width=100)

    return initialise


def project_file() -> Iterator[str]:
    """Every table of `project.toml`, from its class."""
    yield "# The project file\n"
    yield "A folder with a `project.toml` is a project. Unknown keys are errors, and nothing is converted silently.\n"
    for name, field in ProjectFile.model_fields.items():
        for shape in _tables(field.annotation):
            yield from _table(f"[{name}]", shape)


def _tables(kind: Any) -> list[type[BaseModel]]:
    """The tables that a type holds, itself included."""
    if inspect.isclass(kind) and issubclass(kind, BaseModel):
        return [kind]
    return [table for inner in get_args(kind) for table in _tables(inner)]


def _table(title: str, shape: type[BaseModel], level: int = 2) -> Iterator[str]:
    summary, described = _documented(shape)
    yield f"{'#' * level} {title}\n\n{summary}\n"
    yield "| key | type | default | meaning |\n|---|---|---|---|"
    for name, field in shape.model_fields.items():
        cells = (f"`{name}`", f"`{_type(field.annotation)}`", _default(field), described.get(name, ""))
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
    yield ""
    if level == 2:
        for name, field in shape.model_fields.items():
            for inner in _tables(field.annotation):
                yield from _table(f"{title[:-1]}.{name}]", inner, level + 1)


def _documented(shape: type[BaseModel]) -> tuple[str, dict[str, str]]:
    """What its docstring says of a table, and of each of its keys."""
    summary, _, rest = (inspect.getdoc(shape) or "").partition("\nAttributes:\n")
    found: dict[str, str] = {}
    for names, text in re.findall(r"^    ([\w, ]+): (.*(?:\n        .*)*)", rest, re.MULTILINE):
        found |= dict.fromkeys(names.split(", "), re.sub(r"\s+", " ", text))
    return summary.strip(), found


def _type(kind: Any) -> str:
    if get_origin(kind) is Union or type(kind).__name__ == "UnionType":
        return " or ".join(_type(one) for one in get_args(kind) if one is not type(None))
    if get_origin(kind) is not None and str(kind).startswith("typing.Literal"):
        return ", ".join(map(repr, get_args(kind)))
    if inspect.isclass(kind) and issubclass(kind, StrEnum):
        return ", ".join(repr(choice.value) for choice in kind)
    if hasattr(kind, "__metadata__"):
        return _type(get_args(kind)[0])
    if get_origin(kind) is tuple:
        return f"array of {_type(get_args(kind)[0])}"
    if get_origin(kind) is not None:
        return f"table of {_type(get_args(kind)[-1])}"
    name = getattr(kind, "__name__", str(kind))
    return KINDS.get(name, f"table {name}")


KINDS = {
    "Fixed": "fixed-point type",
    "str": "text",
    "int": "whole number",
    "float": "number",
    "bool": "true or false",
}
"""Python's types of values → what a project file holds."""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel) or value in (None, (), {}):
        return ""
    return f"`{[getattr(part, 'value', part) for part in value] if isinstance(value, tuple) else value}`"


def metrics() -> Iterator[str]:
    """Every metric with its unit, and every stage."""
    import hlsflow.core.metrics as module

    yield "# Metrics and stages\n"
    yield "| metric | unit |\n|---|---|"
    yield from (f"| `{name}` | {unit} |" for name, unit in UNITS.items())
    yield "\n## What they mean\n"
    source = inspect.getsource(module)
    yield source.split('"""Metric names and their units.', 1)[1].split('"""', 1)[0].strip() + "\n"
    yield "## Stages\n\nFigures of different stages never share a column.\n"
    yield "| stage | what it is |\n|---|---|"
    for stage in Stage:
        said = re.search(rf'{stage.name} = "{stage.value}"  # (.*)', source)
        yield f"| `{stage.value}` | {said.group(1) if said else ''} |"
