"""The command `hlsflow cache`: shows, exports, imports and prunes the measurements of parts.

In: parsed arguments. Out: text on standard output.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hlsflow.commands import screen
from hlsflow.core.errors import DataError, ProjectError

if TYPE_CHECKING:
    from hlsflow.explore.cache import Cache, Measurement


def add_to(commands: Any) -> None:
    """Add the command to the sub-parsers of `hlsflow`."""
    parser = commands.add_parser("cache", help="show, export, import or prune the measurements of parts")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    add: Callable[..., argparse.ArgumentParser] = actions.add_parser
    show = add("show", help="entries, size, tool versions and families")
    screen.add_json(show)
    write = add("export", help="write all measurements to one file")
    write.add_argument("file", type=Path, help="the archive to write, such as measurements.jsonl.gz")
    read = add("import", help="take over the measurements of such a file")
    read.add_argument("file", type=Path, help="an archive written by export")
    prune = add("prune", help="delete measurements")
    prune.add_argument("--older-than", type=float, metavar="DAYS", help="those made more than DAYS days ago")
    prune.add_argument("--tool-changed", action="store_true", help="those of another Yosys or hlsflow than this one")
    prune.add_argument("--all", action="store_true", help="all of them")
    for action, command in ((show, _show), (write, _export), (read, _import), (prune, _prune)):
        action.add_argument("--cache", type=Path, metavar="DIR", help="default: HLSFLOW_CACHE, or the user's cache")
        action.set_defaults(command=command)


def _show(arguments: argparse.Namespace) -> None:
    from hlsflow.explore.cache import groups
    from hlsflow.report.document import Table, row

    cache = _cache(arguments)
    entries = list(cache)
    seconds = sum(item.seconds for item in entries)
    if arguments.json:
        told = [asdict(group) for group in groups(entries)]
        about = {"folder": str(cache.root), "measurements": len(entries), "bytes": cache.size(), "seconds": seconds}
        screen.say_json(arguments, {"schema": 1, **about, "groups": told})
        return
    screen.say(
        f"{cache.root}: {len(entries)} measurements, {cache.size() / 1024:.0f} KiB, {seconds:.0f} s of synthesis spared"
    )
    if entries:
        head = ("tool", "family", "measurements", "synthesis (s)")
        rows = (
            row(group.tool, group.family, group.entries, float(f"{group.seconds:.0f}")) for group in groups(entries)
        )
        screen.say_tables(Table(head, tuple(rows)))


def _export(arguments: argparse.Namespace) -> None:
    from hlsflow.explore.archive import export_to

    print(f"wrote {export_to(_cache(arguments), arguments.file)} measurements to {arguments.file}")


def _import(arguments: argparse.Namespace) -> None:
    from hlsflow.explore.archive import import_from
    from hlsflow.explore.cache import Cache

    cache = Cache(_root(arguments), print)
    imported = import_from(cache, arguments.file)
    print(f"{imported.new} measurements are new in {cache.root}, {imported.present} were known")
    if imported.refused:
        listed = "\n".join(f"  {text}" for text in imported.refused)
        raise DataError(
            f"{len(imported.refused)} entries of {arguments.file} were refused:\n{listed}",
            "export them again where they come from; the others are imported",
        )


def _prune(arguments: argparse.Namespace) -> None:
    from hlsflow.explore.cache import groups

    gone = _cache(arguments).prune(_unwanted(arguments))
    for group in groups(gone):
        print(f"removed {group.entries} measurements of {group.tool} for {group.family}")
    print(f"removed {len(gone)} measurements in all")


def _unwanted(arguments: argparse.Namespace) -> Callable[[Measurement], bool]:
    """Whether any of the options names a measurement; raises ProjectError when none is given."""
    from hlsflow.explore.cache import older_than, out_of_use

    rules: list[Callable[[Measurement], bool]] = []
    if arguments.all:
        rules.append(lambda _: True)
    if arguments.older_than is not None:
        rules.append(older_than(arguments.older_than))
    if arguments.tool_changed:
        rules.append(out_of_use())
    if not rules:
        raise ProjectError("nothing says what to prune", "add --older-than DAYS, --tool-changed or --all")
    return lambda measurement: any(rule(measurement) for rule in rules)


def _root(arguments: argparse.Namespace) -> Path:
    from hlsflow.explore.cache import default_root

    chosen: Path | None = arguments.cache
    return chosen or default_root()


def _cache(arguments: argparse.Namespace) -> Cache:
    from hlsflow.explore.cache import existing

    return existing(_root(arguments), print)
