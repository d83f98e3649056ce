"""How the documentation is built: `scripts/docs`, strictly and offline; the tutorials are executed while it is built.

The pages of the command line, the project file and the metrics are made from the code by `docs/generate.py`.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import generate

import hlsflow

project = "hlsflow"
author = "the hlsflow maintainers"
release = hlsflow.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["conf.py", "generate.py"]
html_theme = "furo"
html_title = f"hlsflow {release}"
html_static_path: list[str] = []
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
nb_execution_mode = "cache"
nb_execution_timeout = 900
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_merge_streams = True
suppress_warnings = ["mystnb.unknown_mime_type"]


def setup(app) -> None:  # type: ignore[no-untyped-def]  # Sphinx's own protocol
    """Write the generated pages before Sphinx looks for sources."""
    generate.write(Path(__file__).parent / "reference")
