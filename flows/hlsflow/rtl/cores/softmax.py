"""The end of a classifier: softmax by tables, and the one-hot argmax, both along the last axis.

In: a node and the one it reads. Out: a core. For the meaning of a softmax see `hlsflow.ir.softmax`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from hlsflow.ir import Fixed, Node
from hlsflow.ir.fixed import Array
from hlsflow.ir.integers import ceil_div, tree_levels
from hlsflow.ir.softmax import STABLE
from hlsflow.rtl.cores.parallel import Parallel
from hlsflow.rtl.knobs import Pipeline
from hlsflow.rtl.lanes import Cast
from hlsflow.rtl.verilog import Value, constant

PRIMITIVES = ("softmax_core", "max_tree", "fitted_sum", "fixed_cast", "multiply_dsp", "weight_rom", "delay_line")


def argmax_core(node: Node, sources: Sequence[Node], pipeline: Pipeline) -> Parallel:
    """One bit for each value. Latency: ceil(ceil(log2 n) / levels_per_stage)."""
    (source,), n = sources, node.shape[-1]
    parameters: dict[str, Value] = {
        "N": n,
        "WIDTH": source.type.width,
        "SIGNED": int(source.type.signed),
        "LEVELS_PER_STAGE": pipeline.levels_per_stage,
    }
    latency = ceil_div(tree_levels(n), pipeline.levels_per_stage)
    primitives = ("argmax_tree", "delay_line")
    return Parallel(node.name, "argmax_tree", primitives, n, Fixed(1, 1, signed=False), latency, parameters)


def softmax_core(node: Node, sources: Sequence[Node], pipeline: Pipeline) -> Parallel:
    """Exact products of exponentials and the reciprocal of their sum. Latency: as `softmax_core.v` says."""
    (source,), n, kinds = sources, node.shape[-1], node.types
    stable = node.attrs["form"] == (STABLE,)
    accum = kinds["accum"]
    exp, inv = accum.cast(node.params["exp"], kinds["exp"].frac), node.params["inv"]
    term, factor = _holding(exp, accum.frac), _holding(inv, kinds["inv"].frac)
    corners = [a * b for a, b in product((term.min, term.max), (factor.min, factor.max))]
    result = Fixed.spanning(min(corners), max(corners), term.frac + factor.frac)
    parameters: dict[str, Value] = {
        "N": n,
        "X_WIDTH": source.type.width,
        "X_SIGNED": int(source.type.signed),
        "STABLE": int(stable),
        **_cast("NORM", Cast(node.name, source.type, kinds["norm"])),
        **_table("EXP", "TERM", exp, term),
        "ACCUM_WIDTH": accum.width,
        "ACCUM_SIGNED": int(accum.signed),
        "ACCUM_OVERFLOW": f'"{accum.overflow}"',
        **_cast("TOTAL", Cast(node.name, accum, kinds["inv_in"])),
        **_table("INV", "INV", inv, factor),
        "OUT_WIDTH": result.width,
        "LEVELS_PER_STAGE": pipeline.levels_per_stage,
    }
    tree = ceil_div(tree_levels(n), pipeline.levels_per_stage)
    latency = (tree + 1 if stable else 0) + tree + 3
    return Parallel(node.name, "softmax_core", PRIMITIVES, n, result, latency, parameters)


def _holding(codes: Array, frac: int) -> Fixed:
    return Fixed.spanning(int(codes.min()), int(codes.max()), frac)


def _cast(prefix: str, cast: Cast) -> dict[str, Value]:
    return {
        f"{prefix}_DROP": cast.drop,
        f"{prefix}_WIDTH": cast.result.width,
        f"{prefix}_SIGNED": int(cast.result.signed),
        f"{prefix}_ROUNDING": f'"{cast.result.rounding}"',
        f"{prefix}_OVERFLOW": f'"{cast.result.overflow}"',
    }


def _table(name: str, entry: str, codes: Array, kind: Fixed) -> dict[str, Value]:
    return {
        f"{name}_BITS": tree_levels(len(codes)),
        f"{entry}_WIDTH": kind.width,
        f"{entry}_SIGNED": int(kind.signed),
        name: constant(([int(code)] for code in codes), kind.width),
    }
