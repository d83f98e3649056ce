"""The search over networks: widths, depths and bit widths, each trained, proved and measured; see `hlsflow.search.run`.

In: a project with [search]. Out: trials in a database, and the Pareto front as projects that `hlsflow run` takes.
"""

from hlsflow.search.run import Options, search

__all__ = ["Options", "search"]
