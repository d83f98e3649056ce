"""When each unit makes each of its steps: exact cycles, and from them FIFO depths, latency and initiation interval.

In hardware a unit steps in cycle t when the beats that the step takes are there, and, where the step makes a vector,
when the pipeline's interval has passed since the last one and every FIFO at its end has room for the result. So with
t(k) the cycle of step k,

    t(k) = max(t(k-1) + 1,
               arrival of each beat that it takes,
               cycle of the last vector + interval            where it makes a vector,
               cycle in which beat (n - depth) left a FIFO + 1  where its result is beat n of that FIFO)

and the result arrives latency + 1 cycles later. These are max-plus equations of a marked graph (Baccelli, Cohen, Olsder
and Quadrat, "Synchronization and Linearity", 1992), solved here step by step.

Deadlock: units read and write in an order that does not depend on time, so the network is a Kahn process network
(Kahn, "The semantics of a simple language for parallel programming", 1974), bounded FIFOs included: whether it stops
is the same for every timing of the surroundings. The depths below let it run at full speed, hence it never stops,
whatever the sources and sinks do.

In: a `Network`. Out: `Depths` and `Times`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flows.rtl.units import Network, Unit

Cycles = NDArray[np.int64]

Depths = tuple[tuple[int, ...], ...]
"""For each unit, for each of its readers (in the order of `Network.readers`): words of its FIFO."""

MOST_FRAMES = 256
"""Frames after which a network that has not settled is given up: a fault of ours."""


@dataclass(frozen=True, eq=False)
class Times:
    """What happens when sources always have data and sinks always take them.

    Attributes:
        begins: (frames,): cycle in which the first beat of a frame is taken, at any input.
        ends: (frames,): cycle in which the last beat of a frame is taken, at any output.
        needed: for each unit and reader the words that its FIFO held at most.
    """

    begins: Cycles
    ends: Cycles
    needed: Depths

    @property
    def latency(self) -> int:
        """Of the first frame, which finds everything idle."""
        return int(self.ends[0] - self.begins[0])

    @property
    def interval(self) -> int:
        """Cycles between two frames once everything has settled."""
        late = np.diff(self.ends)[len(self.ends) // 2 :]
        return int(late.max()) if len(late) else self.latency


def fit(network: Network) -> tuple[Depths, Times]:
    """FIFO depths at which no FIFO slows the network down or stops it, and what happens then.

    A FIFO needs (latency + 2) / interval words to keep its own pipeline busy. One that feeds a unit with several
    inputs holds what the other branches are behind: it is as deep as an unbounded one becomes.

    Raises:
        RuntimeError: the network does not settle; a fault of ours.
    """
    least = tuple(tuple(_least_depth(unit) for _ in network.readers(u)) for u, unit in enumerate(network.units))
    opened = tuple(_opened(network, u, depths) for u, depths in enumerate(least))
    frames, before = 4, None
    while frames <= MOST_FRAMES:
        times = run(network, opened, frames)
        if before is not None and times.needed == before.needed and times.interval == before.interval:
            depths = tuple(
                tuple(max(pair) for pair in zip(*both, strict=True)) for both in zip(least, times.needed, strict=True)
            )
            return depths, run(network, depths, frames)
        frames, before = 2 * frames, times
    raise RuntimeError(f"the timing of '{network.graph.name}' does not settle within {MOST_FRAMES} frames")


def _least_depth(unit: Unit) -> int:
    return -(-(unit.latency + 2) // unit.interval)


def _opened(network: Network, unit: int, depths: Sequence[int]) -> tuple[int, ...]:
    """The depths, but 0 (no limit) for readers with several inputs."""
    readers = network.readers(unit)
    return tuple(
        0 if reader >= 0 and len(network.units[reader].inputs) > 1 else depth
        for (reader, _), depth in zip(readers, depths, strict=True)
    )


@dataclass
class _Fifo:
    """One reader of a unit: cycles in which beats become visible, and in which they leave."""

    depth: int
    external: bool
    arrivals: list[int] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)

    def push(self, cycle: int) -> None:
        self.arrivals.append(cycle)
        if self.external:
            self.leaves.append(cycle)

    def room(self, beat: int) -> int | None:
        """The first cycle in which a result may set out that becomes beat `beat`; None while that is not known."""
        if not self.depth or beat < self.depth:
            return 0
        return self.leaves[beat - self.depth] + 1 if beat - self.depth < len(self.leaves) else None


class _Walk:
    """One unit on its way through its steps."""

    def __init__(self, unit: Unit, sources: Sequence[_Fifo | None], sinks: Sequence[_Fifo], frames: int) -> None:
        steps = unit.front.steps()
        self.takes = [np.flatnonzero(steps.takes[:, step]).tolist() for step in range(len(steps.makes))]
        self.makes = steps.makes.tolist()
        self.unit, self.sources, self.sinks, self.total = unit, sources, sinks, frames * len(self.makes)
        self.taken = [0] * len(sources)
        self.done, self.cycle, self.made, self.last_vector = 0, -1, 0, -unit.interval
        self.fired: list[int] = []
        self.first = next(step for step, inputs in enumerate(self.takes) if inputs)
        self.entered: list[int] = []  # for each frame the cycle in which its first beat is taken

    def advance(self) -> bool:
        """Make every step whose cycle is known; whether there was one."""
        moved = False
        while self.done < self.total:
            step = self.done % len(self.makes)
            cycle = self._next_cycle(step)
            if cycle is None:
                break
            self._commit(step, cycle)
            moved = True
        return moved

    def _next_cycle(self, step: int) -> int | None:
        cycle = self.cycle + 1
        for number in self.takes[step]:
            source = self.sources[number]
            if source is None:
                continue
            if self.taken[number] >= len(source.arrivals):
                return None
            cycle = max(cycle, source.arrivals[self.taken[number]])
        if not self.makes[step]:
            return cycle
        cycle = max(cycle, self.last_vector + self.unit.interval)
        for sink in self.sinks:
            room = sink.room(self.made)
            if room is None:
                return None
            cycle = max(cycle, room)
        return cycle

    def _commit(self, step: int, cycle: int) -> None:
        if step == self.first:
            self.entered.append(cycle)
        for number in self.takes[step]:
            source = self.sources[number]
            self.taken[number] += 1
            if source is not None:
                source.leaves.append(cycle)
        if self.makes[step]:
            self.fired.append(cycle)
            self.made, self.last_vector = self.made + 1, cycle
            for sink in self.sinks:
                sink.push(cycle + self.unit.latency + 1)
        self.done, self.cycle = self.done + 1, cycle


def run(network: Network, depths: Depths, frames: int) -> Times:
    """The cycles of `frames` frames, back to back; depth 0 means no limit.

    Raises:
        RuntimeError: the network stops before the end.
    """
    fifos = {
        (u, reader): _Fifo(depth, reader[0] < 0)
        for u in range(len(network.units))
        for reader, depth in zip(network.readers(u), depths[u], strict=True)
    }
    walks = [
        _Walk(
            unit,
            [fifos[source, (u, i)] if source >= 0 else None for i, source in enumerate(unit.inputs)],
            [fifos[u, reader] for reader in network.readers(u)],
            frames,
        )
        for u, unit in enumerate(network.units)
    ]
    while any([walk.advance() for walk in walks]):
        pass
    if any(walk.done < walk.total for walk in walks):
        raise RuntimeError(f"the FIFOs of '{network.graph.name}' are too small: it stops")
    return _times(network, walks, fifos, frames)


def _times(network: Network, walks: list[_Walk], fifos: dict[tuple[int, tuple[int, int]], _Fifo], frames: int) -> Times:
    firsts = [walk.entered for walk in walks if any(source < 0 for source in walk.unit.inputs)]
    results = [fifo.arrivals for (_, reader), fifo in fifos.items() if reader[0] < 0]
    ends = [np.reshape(arrivals, (frames, -1))[:, -1] for arrivals in results]
    needed = tuple(
        tuple(_most_words(walk.fired, fifos[u, reader].leaves) for reader in network.readers(u))
        for u, walk in enumerate(walks)
    )
    return Times(np.min(firsts, axis=0), np.max(ends, axis=0), needed)


def _most_words(fired: list[int], leaves: list[int]) -> int:
    """Words reserved at most: from the cycle in which a vector sets out to that after its result has left."""
    gone = np.searchsorted(leaves, np.asarray(fired) - 1, side="right")
    return int((np.arange(1, len(fired) + 1) - gone).max())
