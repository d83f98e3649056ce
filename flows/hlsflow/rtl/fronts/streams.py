"""Fronts that regroup beats: as they come, side by side, split, in another order, of one stream after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hlsflow.rtl.fronts.front import Steps, packed, single
from hlsflow.rtl.verilog import Channel, Value, constant, instance


@dataclass(frozen=True)
class Direct:
    """Each beat is a vector."""

    beats: int
    vector_bits: int

    primitives = ()

    def steps(self) -> Steps:
        return Steps.taking(np.ones(self.beats, np.bool_), np.ones(self.beats, np.bool_))

    def emit(self, inputs: Sequence[Channel], out: Channel, name: str) -> str:
        (source,) = inputs
        return (
            f"    assign {out.valid} = {source.valid};\n    assign {source.ready} = {out.ready};\n"
            f"    assign {out.data} = {source.data};\n"
        )


@dataclass(frozen=True)
class Join:
    """A beat of each input, side by side, is a vector: input 0 in the least significant bits."""

    inputs: int
    beats: int
    vector_bits: int

    primitives = ("stream_join",)

    def steps(self) -> Steps:
        return Steps.taking(np.ones((self.inputs, self.beats), np.bool_), np.ones(self.beats, np.bool_))

    def emit(self, inputs: Sequence[Channel], out: Channel, name: str) -> str:
        ports = {f"in_{key}": packed([getattr(item, key) for item in inputs]) for key in ("valid", "ready")}
        ports |= {"out_valid": out.valid, "out_ready": out.ready}
        data = f"    assign {out.data} = {packed([item.data for item in inputs])};\n"
        return instance("stream_join", name, {"INPUTS": self.inputs}, ports) + data


@dataclass(frozen=True)
class Alternate:
    """Of each input in turn a run of beats, each a vector; again and again until the frame is over.

    Attributes:
        runs: beats of a run, for each input.
        rounds: how often.
    """

    runs: tuple[int, ...]
    rounds: int
    vector_bits: int

    primitives = ("stream_alternate", "step_counter", "increment")

    def steps(self) -> Steps:
        source = np.tile(np.repeat(np.arange(len(self.runs)), self.runs), self.rounds)
        return Steps.taking(source == np.arange(len(self.runs))[:, None], np.ones(len(source), np.bool_))

    def emit(self, inputs: Sequence[Channel], out: Channel, name: str) -> str:
        ends = ", ".join(f"32'd{end}" for end in reversed(np.cumsum(self.runs)))
        parameters: dict[str, Value] = {"WIDTH": self.vector_bits, "INPUTS": len(self.runs), "ENDS": f"{{{ends}}}"}
        ports = {f"in_{key}": packed([getattr(item, key) for item in inputs]) for key in ("valid", "ready", "data")}
        return instance("stream_alternate", name, parameters, {"clk": "clk", "rst": "rst"} | ports | out.ports("out"))


@dataclass(frozen=True)
class Collect:
    """Every `beats` beats, side by side, are a vector; `rounds` of them make a frame."""

    beats: int
    beat_bits: int
    rounds: int = 1

    primitives = ("stream_collect", "step_counter", "increment")

    @property
    def vector_bits(self) -> int:
        return self.beats * self.beat_bits

    def steps(self) -> Steps:
        position = np.arange(self.beats * self.rounds) % self.beats
        return Steps.taking(position >= 0, position == self.beats - 1)

    def emit(self, inputs: Sequence[Channel], out: Channel, name: str) -> str:
        return single("stream_collect", name, {"WIDTH": self.beat_bits, "BEATS": self.beats}, inputs[0], out)


@dataclass(frozen=True)
class Serialize:
    """Each beat makes `parts` vectors one after the other, the least significant first.

    Attributes:
        order: for each element of the parts, side by side, its place in the beat; empty where none moves.
        element_bits: of an element.
    """

    parts: int
    vector_bits: int
    rounds: int = 1
    order: tuple[int, ...] = ()
    element_bits: int = 1

    @property
    def primitives(self) -> tuple[str, ...]:
        order = ("element_order",) if self.order else ()
        return ("stream_serialize", "step_counter", "increment", *order)

    def steps(self) -> Steps:
        position = np.arange(self.parts * self.rounds) % self.parts
        always = position >= 0
        return Steps(np.atleast_2d(position == self.parts - 1), always, np.atleast_2d(always))

    def emit(self, inputs: Sequence[Channel], out: Channel, name: str) -> str:
        text, source = self._ordered(inputs[0], name) if self.order else ("", inputs[0])
        return text + single("stream_serialize", name, {"WIDTH": self.vector_bits, "PARTS": self.parts}, source, out)

    def _ordered(self, source: Channel, name: str) -> tuple[str, Channel]:
        ordered = Channel(source.valid, source.ready, f"{name}_ordered", source.bits)
        bits = max(len(self.order) - 1, 1).bit_length()
        places = constant(([place] for place in self.order), bits)
        parameters: dict[str, Value] = {"N": len(self.order), "WIDTH": self.element_bits}
        parameters |= {"PLACE_WIDTH": bits, "PLACES": places}
        text = instance("element_order", f"{name}_order", parameters, {"in": source.data, "out": ordered.data})
        return f"    wire [{source.bits - 1}:0] {ordered.data};\n{text}", ordered
