"""Checks that the functions which a project names are in its `model.py`, without running it."""

from __future__ import annotations

import ast
from pathlib import Path

from hlsflow.core import foreign
from hlsflow.core.errors import ProjectError
from hlsflow.project.errors import nearest
from hlsflow.project.file import ProjectFile

BUILDERS = foreign.Kind("", "is not valid Python", "correct the file", ProjectError, 4 * foreign.MIB)


EVERYTHING = "*"
"""What an import names that takes all names of a module."""


def check_builders(sections: ProjectFile, file: Path) -> None:
    """The builder functions must be there and take the arguments, as far as the file says; nothing is executed."""
    model = sections.model
    tree = foreign.python(file, BUILDERS)
    names = _defined(tree)
    if EVERYTHING in names:  # whether it is there is seen when it is called
        return
    wanted = {"quantized": model.quantized, "baseline": model.baseline}
    missing = [
        f"{file}: has no function {name}(), which model.{key} names{nearest(name, names)}"
        for key, name in wanted.items()
        if name is not None and name not in names
    ]
    if missing:
        raise ProjectError("\n".join(missing), f"functions there: {', '.join(sorted(names)) or 'none'}")
    _check_arguments(sections, file, tree)


def _check_arguments(sections: ProjectFile, file: Path, tree: ast.Module) -> None:
    """Every argument must be a parameter of a builder; one that is imported is asked when it is called."""
    model, space = sections.model, sections.search.space if sections.search else {}
    origins = {name: "model.arguments" for name in model.arguments}
    origins |= {name: "search.space" for name in space if "." not in name}
    builders = {name for name in (model.quantized, model.baseline) if name is not None}
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in builders]
    if len({node.name for node in functions}) < len(builders) or any(node.args.kwarg for node in functions):
        return
    takes = {argument.arg: None for node in functions for argument in (*node.args.args, *node.args.kwonlyargs)}
    strangers = [
        f"{file}: {' and '.join(f'{name}()' for name in sorted(builders))} take no argument '{name}', which {place} "
        f"names{nearest(name, takes)}"
        for name, place in origins.items()
        if name not in takes
    ]
    if strangers:
        raise ProjectError("\n".join(strangers), f"arguments there: {', '.join(takes) or 'none'}")


def _defined(tree: ast.Module) -> set[str]:
    """Names that a module's top level defines or imports."""
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    imported = {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    return functions | imported
