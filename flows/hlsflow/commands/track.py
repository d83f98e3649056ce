"""The option `--track`: hand a finished run to a plug-in that logs it elsewhere.

In: the name of an entry point in the group `hlsflow.trackers`: a function of the run's folder, which holds
`report.json`, that returns where it logged the run, for people. Out: that function.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

from hlsflow.core.errors import ProjectError
from hlsflow.project.errors import nearest

GROUP = "hlsflow.trackers"

Tracker = Callable[[Path], str]


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the option to `hlsflow run`."""
    parser.add_argument(
        "--track", metavar="NAME", help="log the finished run: mlflow, or a plug-in of your own (hlsflow.trackers)"
    )


def tracker(name: str) -> Tracker:
    """The plug-in of that name; raises ProjectError when there is none."""
    plugins = {point.name: point for point in entry_points(group=GROUP)}
    if name not in plugins:
        message = f"--track {name}: there is no such plug-in{nearest(name, plugins)}"
        raise ProjectError(message, f"installed: {', '.join(plugins) or 'none'}")
    loaded: Tracker = plugins[name].load()
    return loaded
