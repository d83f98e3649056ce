"""A project folder that anybody built with any toolchain: what it holds.

In: the folder, and nothing else. Out: `Directory`: the knobs of its configuration, every report in it that is known,
what cannot be read, what is missing and why, and what must be known before its figures are believed
(`hlsflow.report.folders.directory_checks`). `hlsflow.report.folders.directory_report` tells it as tables.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hlsflow.core.errors import DataError
from hlsflow.core.metrics import MetricSet
from hlsflow.report.folders import directory_checks, hls4ml_config, tops
from hlsflow.report.folders.columns import Column, columns
from hlsflow.report.folders.hls4ml_config import Config
from hlsflow.toolchains.reports import Report, read_with, reader_of
from hlsflow.toolchains.reports.text import relative

HINT = "name the folder that hls4ml wrote, or one with reports of a vendor's tool"
FILES_LIMIT = 100_000
REPORTS_LIMIT = 2000
"""A folder with more reports, those of a design's functions apart, holds the work of years."""

SKIPPED = ("ap_types", "ac_types", "nnet_utils", "hlsflow_logs", "__pycache__")
"""Folders without reports, besides hidden ones."""

SOLUTION = 2
"""How many folders above its own a report's solution lies: `solution1/syn/report/x_csynth.xml`."""


@dataclass(frozen=True)
class Directory:
    """What a project folder holds.

    Attributes:
        folder: the folder.
        name: of the project, or of the folder.
        config: the settings it was written with; None when it has none.
        reports: what was read, those of the whole design; sources are relative to the folder.
        refused: a sentence for each report that cannot be read.
        missing: what a complete build would have left besides, and why it is not there.
        warnings: what must be known before the figures are believed.
        simulations: what the outputs of simulations say, a sentence each.
    """

    folder: Path
    name: str
    config: Config | None
    reports: tuple[Report, ...]
    refused: tuple[str, ...]
    missing: tuple[str, ...]
    warnings: tuple[str, ...]
    simulations: tuple[str, ...] = ()

    @property
    def metrics(self) -> MetricSet:
        """All figures of the whole design, those that a tool told twice once."""
        return MetricSet(tuple(metric for column in self.columns for metric in column.metrics))

    @property
    def columns(self) -> list[Column]:
        """The figures of the whole design, or of the designs where there are several."""
        return columns(self.reports, self.folder)


def read(folder: Path) -> Directory:
    """What a folder holds.

    Raises:
        DataError: it is no folder, holds several projects, or nothing that is known.
    """
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}", HINT)
    files = list(_files(folder))
    _require_one_project(folder, files)
    config, unread = _config(folder)
    names = tops.named(config, files) if directory_checks.is_amd(config) else set()
    reports, refused = _reports(folder, files, names)
    refused = [*unread, *refused]
    if config is None and not reports and not refused:
        inside = next((f"did you mean {file.parent}?" for file in files if file.name == hls4ml_config.CONFIG), HINT)
        raise DataError(f"{folder} holds neither an hls4ml project nor any report that is known", inside)
    own, foreign = tops.sort(reports, names)
    own = [_completed(report, own) for report in own]
    name = config.general.get("ProjectName", folder.resolve().name) if config else folder.resolve().name
    return Directory(
        folder=folder,
        name=name,
        config=config,
        reports=tuple(own),
        refused=tuple(refused),
        missing=tuple(directory_checks.missing(folder, config, own, refused)),
        warnings=tuple(directory_checks.warnings(folder, config, own, foreign, files)),
        simulations=tuple(directory_checks.simulations(folder)),
    )


def _config(folder: Path) -> tuple[Config | None, list[str]]:
    """The configuration, or why it cannot be read: a damaged one hides no report."""
    try:
        return hls4ml_config.read(folder), []
    except DataError as error:
        return None, [error.message.replace(f"{folder}/", "")]


def _files(folder: Path) -> Iterator[Path]:
    """All files, in order; raises DataError when there are too many to be one project's."""
    count = 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED and not name.startswith("."))
        for name in sorted(names):
            count += 1
            if count > FILES_LIMIT:
                raise DataError(f"{folder} has more than {FILES_LIMIT:,} files, so it is no single project", HINT)
            yield Path(place) / name


def _require_one_project(folder: Path, files: Sequence[Path]) -> None:
    inside = [file.parent for file in files if file.name == hls4ml_config.CONFIG]
    if folder not in inside and len(inside) > 1:
        names = ", ".join(str(place) for place in inside[:3]) + (", …" if len(inside) > 3 else "")
        raise DataError(f"{folder} holds {len(inside)} projects: {names}", "name one of them; compare takes several")


def _reports(folder: Path, files: Sequence[Path], names: set[str]) -> tuple[list[Report], list[str]]:
    """The reports among the files, and why others cannot be read."""
    reports, refused, parts = [], [], tops.parts(files, names)
    for file in sorted(files, key=lambda file: (file.suffix != ".xml", file)):  # XML first: it is the fuller one
        if file in parts:
            continue
        try:
            reader = reader_of(file)
            if reader is not None:
                reports.append(read_with(reader, file, folder))
        except DataError as error:
            refused.append(error.message.replace(str(file), relative(file, folder)))
        if len(reports) + len(refused) > REPORTS_LIMIT:
            raise DataError(f"{folder} has more than {REPORTS_LIMIT:,} reports, so it is no single project", HINT)
    return [report for report in reports if report.metrics.metrics], refused


def _completed(report: Report, reports: Sequence[Report]) -> Report:
    """A simulation's report with the release, part and clock of the C synthesis it belongs to."""
    if report.kind not in ("csim", "cosim"):
        return report
    own = report.file.parents[SOLUTION] if len(report.file.parents) > SOLUTION else report.file.parent
    origin = next(
        (candidate for candidate in reports if candidate.kind == "csynth" and own in candidate.file.parents), None
    )
    if origin is None:
        return report
    tool = f"{origin.tool} {report.tool.removeprefix('C/RTL ')}"
    version, part, clock_ns = origin.version, origin.part, origin.clock_ns
    metrics = MetricSet(
        tuple(
            replace(candidate, tool=tool, version=version, target=part, clock_ns=clock_ns)
            for candidate in report.metrics
        )
    )
    return replace(report, tool=tool, version=version, part=part, clock_ns=clock_ns, metrics=metrics)
