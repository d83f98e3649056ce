"""The scripts that tools are given: templates that an HLS engineer can read, and a project can replace.

In: `templates/tools/<chain>/<script>`, or the file of the same name in the project's own `templates/` folder.
Out: the text with its placeholders filled in. A placeholder is `@name` or `@{name}`, as Tcl and shells use `$` for
their own; `@@` stands for `@`.
"""

from __future__ import annotations

import string
from pathlib import Path

from hlsflow.core import templates
from hlsflow.core.errors import ProjectError
from hlsflow.core.store import file_digest
from hlsflow.toolchains.chain import Settings


def own(folder: Path) -> dict[str, str]:
    """The templates that a project replaces: name → digest of the text.

    Args:
        folder: the project's `templates/`; need not be there.
    """
    files = (file for file in sorted((folder / "tools").rglob("*")) if file.is_file())
    return {file.relative_to(folder).as_posix(): file_digest(file) for file in files}


class _Script(string.Template):
    delimiter = "@"


def script(name: str, settings: Settings, **values: object) -> str:
    """A script with its placeholders filled in.

    Args:
        name: such as `vitis/build_opt.tcl`.
        settings: where the project's own templates are.
        values: placeholder → what to write for it.
    Raises:
        ProjectError: the project's own template cannot be read, or has a placeholder that is not known.
    """
    own = settings.overrides / "tools" / name if settings.overrides else None
    file = own if own is not None and own.is_file() else templates.path(f"tools/{name}")
    try:
        return _Script(file.read_text(encoding="utf-8")).substitute(values)
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"template {file} cannot be read: {error}", "check that it is a UTF-8 text file") from error
    except (KeyError, ValueError) as error:
        placeholders = ", ".join(f"@{name}" for name in sorted(values)) or "none"
        raise ProjectError(
            f"template {file} has a placeholder that is not known: {error}",
            f"placeholders of this template: {placeholders}; write @@ for a plain @",
        ) from error
