"""All vendor toolchains, one row each.

In: the toolchains' own modules. Out: `CHAINS`, in order of preference where several build the same backend.
"""

from __future__ import annotations

from collections.abc import Mapping

from flows.toolchains.chain import Toolchain

ROWS: tuple[Toolchain, ...] = ()

CHAINS: Mapping[str, Toolchain] = {chain.name: chain for chain in ROWS}
"""Name → toolchain."""
