"""A document as one page that needs nothing else: no network, no other file, and no script to be read.

In: a `Document`. Out: HTML with its style, script and charts inside.
"""

from hlsflow.report.html.page import render

__all__ = ["render"]
