"""Weighted sums of a whole vector with any reuse factor: dense layers, and convolutions window by window."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from hlsflow.core.choices import Multiplier
from hlsflow.ir.fixed import Array
from hlsflow.rtl.cores.fold import LayerSchedule, lut_weight_bits, shared_weight
from hlsflow.rtl.cores.planned import Planned
from hlsflow.rtl.cores.sums import Sums
from hlsflow.rtl.verilog import Stream, Value, constant, instance

PRIMITIVES: tuple[str, ...] = (
    "accumulate", "accumulate_carry", "adder_tree", "carry_tree", "cast_lanes", "codebook", "delay_line", "dense_core",
    "dot_product", "fixed_cast", "fold_counter", "increment", "multiply_dsp", "multiply_lut", "operand_feed",
    "shared_products", "weight_rom",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class DenseCore(Planned):
    """`templates/rtl/dense_core.v` for one layer."""

    primitives = PRIMITIVES

    @property
    def order(self) -> tuple[int, ...]:
        """Sums come for all pixels, one after the other; the result has all sums of a pixel, then the next pixel."""
        return by_pixel(range(self.plan.n_out), self.plan.pixels) if self.plan.pixels > 1 else ()

    def raised(self, amount: int) -> Self | None:
        """A core whose sums are all larger by `amount`; None where its accumulators cannot hold them."""
        sums = self.sums.raised(amount)
        return replace(self, sums=sums) if sums else None

    def emit(self, vector: Stream, name: str) -> tuple[str, Stream]:
        out = Stream(f"{name}_valid", f"{name}_last", f"{name}_sums", self.lanes, self.result)
        ports = {"clk": "clk", "rst": "rst", "load": vector.valid, "vector": vector.data}
        ports |= {"sums_valid": out.valid, "sums_last": out.last, "sums": out.data}
        return out.declare() + instance("dense_core", name, self._parameters(), ports), out

    def _parameters(self) -> dict[str, Value]:
        sums, plan = self.sums, self.plan
        weight, kind = (
            (shared_weights(sums, plan), shared_weight(sums)) if plan.shared else (sums.weight, sums.weight_type)
        )
        words = weight_words(weight, plan)
        stored, width = words, kind.width
        book: dict[str, Value] = {}
        if plan.code_bits:
            values = np.unique(words)
            stored, width = np.searchsorted(values, words), plan.code_bits
            book = {"CODE_WIDTH": width, "CODEBOOK": constant([values.tolist()], kind.width)}
        return self._common_parameters() | {
            "STEPS": plan.steps,
            "SHARED": int(plan.shared),
            "FEED_STAGES": plan.feed_stages,
            "W_WIDTH": kind.width,
            "W_SIGNED": int(kind.signed),
            "WEIGHTS": constant(stored.tolist(), width),
            **book,
            "USED": constant([words.any(0).astype(int).tolist()], 1),
            "BIASES": constant(bias_words(sums.bias - lut_offsets(sums, plan), plan), sums.sum.width),
        }

    def _common_parameters(self) -> dict[str, Value]:
        """What does not depend on the order of the products."""
        sums, plan = self.sums, self.plan
        return {
            "N_IN": plan.n_in,
            "LANES_IN": plan.inputs_per_cycle,
            "LANES_OUT": plan.outputs_per_cycle,
            **({"PIXELS": plan.pixels} if plan.pixels > 1 else {}),
            "GROUPS": plan.groups,
            "X_WIDTH": sums.source.width,
            "X_SIGNED": int(sums.source.signed),
            "W_WIDTH": sums.weight_type.width,
            "W_SIGNED": int(sums.weight_type.signed),
            "PRODUCT_WIDTH": sums.product_width,
            "DROP": sums.drop,
            "ROUNDING": f'"{sums.rounding}"',
            "SUM_WIDTH": sums.sum.width,
            "MULTIPLIER": '"LUT"' if plan.multiplier is Multiplier.LUT else '"DSP"',
            "ROWS_PER_STAGE": plan.pipeline.rows_per_stage,
            "LEVELS_PER_STAGE": plan.pipeline.levels_per_stage,
            "DEEP_ROM": int(plan.weights_registered),
            "MEMORY": f'"{plan.weights_in.upper()}"',
            "MULTIPLY_LATENCY": plan.multiply_latency,
            "TREE_LATENCY": plan.tree_latency,
        }


def by_pixel(order: Iterable[int], pixels: int) -> tuple[int, ...]:
    """Places in the result of sums that come in `order`, each for all pixels before the next one."""
    places = list(order)
    return tuple(pixel * len(places) + place for place in places for pixel in range(pixels))


def weight_words(weight: Array, layer: LayerSchedule) -> Array:
    """ROM contents, (words, lanes): word group * steps + step, lane output * inputs_per_cycle + input; 0 if unused."""
    lanes_in, lanes_out = layer.inputs_per_cycle, layer.outputs_per_cycle
    padded = np.zeros((layer.steps * lanes_in, layer.groups * lanes_out), np.int64)
    padded[: weight.shape[0], : weight.shape[1]] = weight
    split = padded.reshape(layer.steps, lanes_in, layer.groups, lanes_out)
    return split.transpose(2, 0, 3, 1).reshape(layer.groups * layer.steps, -1)


def shared_weights(sums: Sums, layer: LayerSchedule) -> Array:
    """Weights as `shared_products.v` wants them: of two lanes, the second less 1 where the first is negative."""
    weight, lane = sums.weight.copy(), np.arange(layer.n_out) % layer.outputs_per_cycle
    second = np.flatnonzero(lane % 2)
    weight[:, second] -= sums.weight[:, second - 1] < 0
    return weight


def bias_words(bias: Array, layer: LayerSchedule) -> list[list[int]]:
    """ROM contents: one word for each group of outputs; zeros where a lane is unused."""
    lanes = layer.outputs_per_cycle
    padded = [*map(int, bias), *[0] * (layer.groups * lanes - len(bias))]
    return [padded[start : start + lanes] for start in range(0, len(padded), lanes)]


def lut_offsets(sums: Sums, layer: LayerSchedule) -> Array:
    """What `multiply_lut.v` adds to the sum of each output besides the products, on the sum's grid: (n_out,).

    Each pair of lanes adds floor(w / 2) + 2**(bits - 2) - 1 a step, w the weight of its first lane; each product of an
    unsigned input lacks w * 2**(input bits - 1). There are no offsets where products are cast one by one.
    """
    if layer.multiplier is not Multiplier.LUT or sums.drop > 0:
        return np.zeros_like(sums.bias)
    padded = np.zeros((layer.steps, layer.inputs_per_cycle, layer.n_out), np.int64)
    padded.reshape(-1, layer.n_out)[: layer.n_in] = sums.weight
    ones = (1 << (lut_weight_bits(sums.weight_type) - 2)) - 1
    offsets: Array = ((padded[:, ::2] >> 1) + ones).sum((0, 1))
    if not sums.source.signed:
        offsets -= sums.weight.sum(0) << (sums.source.width - 1)
    return offsets << -sums.drop
