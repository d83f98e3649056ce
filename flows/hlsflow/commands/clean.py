"""The command `hlsflow clean`: deletes results that no run needs any more.

In: parsed arguments. Out: what was deleted, and how much room it took.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hlsflow.core.errors import DataError, StorageError

STORE, LATEST = "store", "latest"


def add_to(commands: Any) -> None:
    """Add the command to the sub-parsers of `hlsflow`."""
    parser = commands.add_parser("clean", help="delete old runs, and finished work that the latest run does not use")
    parser.add_argument("project", nargs="?", help="name of the project; omitted: every project in the build folder")
    parser.add_argument("--all", action="store_true", help="delete the latest run and explorations as well")
    parser.add_argument("--dry-run", action="store_true", help="say what would be deleted, and delete nothing")
    parser.add_argument("--build", type=Path, default=Path("build"), help="folder of all results (default: build)")
    parser.set_defaults(command=_clean)


def _clean(arguments: argparse.Namespace) -> None:
    gone = 0
    for root in _roots(arguments.build, arguments.project):
        for folder in unused(root, arguments.all):
            size = _size(folder)
            if arguments.dry_run or _deleted(folder):
                gone += size
                print(f"{'would delete' if arguments.dry_run else 'deleted'} {folder} ({_megabytes(size)})")
    print(f"{_megabytes(gone)} {'would be free' if arguments.dry_run else 'freed'}")


def _roots(build: Path, project: str | None) -> list[Path]:
    """The folders of the projects that are meant; raises DataError when there are none."""
    roots = [path for path in sorted(build.glob(Path(project).name if project else "*")) if (path / STORE).is_dir()]
    if not roots:
        raise DataError(f"{build} has no results{f' of {project}' if project else ''}", "name the folder with --build")
    return roots


def unused(root: Path, everything: bool = False) -> Iterator[Path]:
    """Folders of a project's results that can go.

    Args:
        root: `build/<project>`.
        everything: no run is to be kept.
    Yields:
        runs other than the latest, explorations only with `everything`, and finished steps that neither uses.
    """
    latest = None if everything else (root / LATEST).resolve()
    for path in sorted(root.iterdir()):
        if path.is_symlink() or not path.is_dir() or path.name == STORE:
            continue
        if everything or (path.resolve() != latest and path.name != "explore"):
            yield path
    used = _linked(latest) if latest else set()
    for step in sorted((root / STORE).glob("*/")):
        yield from (path for path in sorted(step.iterdir()) if path.is_dir() and path.resolve() not in used)


def _linked(run: Path) -> set[Path]:
    """Finished steps that a run links to."""
    return {path.resolve() for path in run.rglob("*") if path.is_symlink()}


def _deleted(folder: Path) -> bool:
    """Delete a folder, unless somebody is at work on it; raises StorageError."""
    try:
        with FileLock(folder.with_name(f"{folder.name.removesuffix('.partial')}.lock"), timeout=0):
            shutil.rmtree(folder)
    except Timeout:
        print(f"kept {folder}: another run is at work on it")
        return False
    except OSError as error:
        raise StorageError(f"{folder} cannot be deleted: {error.strerror}", "check that you may write there") from error
    folder.with_name(f"{folder.name.removesuffix('.partial')}.lock").unlink(missing_ok=True)
    return True


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _megabytes(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"
