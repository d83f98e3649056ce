"""A document as one page that needs nothing else: no network, no other file, and no script to be read.

In: a `Document`. Out: HTML with its style, script and charts inside, and the same charts as SVG files.
"""

from hlsflow.report.html.page import render
from hlsflow.report.html.pictures import write_charts

__all__ = ["render", "write_charts"]
