"""What the weights of a design occupy: words, bits, block RAMs and how much of them is used.

In: the layers of a schedule. Out: one `WeightMemory` for each that keeps weights in a memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hlsflow.core.choices import WeightsIn
from hlsflow.ir.integers import ceil_div
from hlsflow.rtl.cores.fold import LayerSchedule

BLOCK_BITS = 18 * 1024
"""Of a RAMB18 of AMD (UG473) and an EBR of ECP5 (FPGA-DS-02012), parity bits included."""
BLOCK_SHAPES = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
"""Words and bits of a word that such a block can have; that of UltraScale, too (UG573)."""


@dataclass(frozen=True)
class WeightMemory:
    """The weight memory of a layer.

    Attributes:
        layer: its name.
        made_of: as asked; AUTO: the synthesizer decides.
        words, word_bits: its shape.
        blocks: block RAMs of 18 Kb that it needs where it is made of them.
    """

    layer: str
    made_of: WeightsIn
    words: int
    word_bits: int

    @property
    def bits(self) -> int:
        return self.words * self.word_bits

    @property
    def blocks(self) -> int:
        return memory_blocks(self.words, self.word_bits)

    @property
    def utilisation(self) -> float:
        """Share of the bits of its blocks that hold weights: 0 to 1."""
        return self.bits / (self.blocks * BLOCK_BITS)


def memory_blocks(words: int, bits: int) -> int:
    """The fewest block RAMs of 18 Kb that hold so many words of so many bits."""
    return min(ceil_div(words, deep) * ceil_div(bits, wide) for deep, wide in BLOCK_SHAPES)


def weight_memories(layers: Iterable[LayerSchedule]) -> tuple[WeightMemory, ...]:
    """The memories of layers that have one: not those whose weights are constants of every cycle."""
    return tuple(
        WeightMemory(layer.name, layer.weights_in, layer.granted, layer.weight_bits)
        for layer in layers
        if layer.granted > 1 and layer.weight_bits > 0
    )
