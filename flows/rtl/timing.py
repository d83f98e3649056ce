"""When each unit makes each of its steps: exact cycles, and from them FIFO depths, latency and initiation interval.

In hardware a unit steps in cycle t when the beats that the step looks at are there, and, where the step makes a vector,
when the pipeline's interval has passed since the last one and every FIFO at its end has room for the result. So with
t(k) the cycle of step k,

    t(k) = max(t(k-1) + 1,
               arrival of each beat that it looks at,
               cycle of the last vector + interval            where it makes a vector,
               cycle in which beat (n - depth) left a FIFO + 1  where its result is beat n of that FIFO)

and the result arrives latency + 1 cycles later. These are max-plus equations of a marked graph (Baccelli, Cohen, Olsder
and Quadrat, "Synchronization and Linearity", 1992), solved here step by step.

Deadlock: units read and write in an order that does not depend on time, so the network is a Kahn process network
(Kahn, "The semantics of a simple language for parallel programming", 1974), bounded FIFOs included: whether it stops
is the same for every timing of the surroundings. With the depths below whole frames come out, and leave every FIFO
empty, hence it never stops, whatever the sources and sinks do.

In: a `Network`. Out: `Depths` and `Times`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flows.rtl.fronts import Steps
from flows.rtl.units import Network, Unit

Cycles = NDArray[np.int64]

Depths = tuple[tuple[int, ...], ...]
"""For each unit, for each of its readers (in the order of `Network.readers`): words of its FIFO."""

FIRST_FRAMES = 4
MOST_STEPS = 4_000_000
"""Steps of all units after which timing is given up waiting for the network to settle; some ten seconds."""


@dataclass(frozen=True, eq=False)
class Times:
    """What happens when sources always have data and sinks always take them.

    Attributes:
        begins: (frames,): cycle in which the first beat of a frame is taken, at any input.
        ends: (frames,): cycle in which the last beat of a frame is taken, at any output.
        uses: for each unit and reader, for each result the words of its FIFO in use or reserved when it sets out.
    """

    begins: Cycles
    ends: Cycles
    uses: tuple[tuple[Cycles, ...], ...]

    @property
    def latency(self) -> int:
        """Of the first frame, which finds everything idle."""
        return int(self.ends[0] - self.begins[0])

    @property
    def interval(self) -> int:
        """Cycles between two frames once everything has settled."""
        late = np.diff(self.ends)[len(self.ends) // 2 :]
        return int(late.max()) if len(late) else self.latency

    @property
    def needed(self) -> Depths:
        """The words that each FIFO held at most."""
        return tuple(tuple(int(use.max()) for use in uses) for uses in self.uses)

    @property
    def settled(self) -> bool:
        """Whether the later half of the frames brought nothing new."""
        halves = [(use[: len(use) // 2].max(), use.max()) for uses in self.uses for use in uses]
        return len(set(np.diff(self.ends)[len(self.ends) // 2 - 1 :])) == 1 and all(a == b for a, b in halves)


def fit(network: Network) -> tuple[Depths, Times]:
    """FIFO depths with which pipelines stay busy and no branch waits for another one's FIFO, and what happens then.

    A FIFO that feeds a unit with several inputs holds what the other branches are behind: it is as deep as an unbounded
    one becomes, so bounding it changes nothing. For the others see `least_depths`.
    """
    least = least_depths(network)
    opened = tuple(_opened(network, u, depths) for u, depths in enumerate(least))
    steps = sum(len(unit.front.steps().makes) for unit in network.units)
    frames = FIRST_FRAMES
    times = run(network, opened, frames)
    while not times.settled and 2 * frames * steps <= MOST_STEPS:
        frames *= 2
        times = run(network, opened, frames)
    depths = tuple(tuple(map(max, *both)) for both in zip(least, times.needed, strict=True))
    return depths, times


def least_depths(network: Network) -> Depths:
    """Words that keep a pipeline busy, for each unit and reader.

    A word is reserved when a vector sets out, arrives latency + 1 cycles later, stays while its reader looks at it, and
    is free in the cycle after. Vectors follow each other at a distance of `gap` cycles or more, and the reader takes
    one every `stay` cycles at best, so (latency + 1 + stay) / max(gap, stay) words are in use.
    """
    steps = [unit.front.steps() for unit in network.units]
    return tuple(
        tuple(_least_depth(unit, steps[u], _stay(steps, reader)) for reader in network.readers(u))
        for u, unit in enumerate(network.units)
    )


def _least_depth(unit: Unit, steps: Steps, stay: int) -> int:
    makes = np.flatnonzero(steps.makes)
    gap = int(np.diff(makes, append=makes[0] + len(steps.makes)).min())
    return -(-(unit.latency + 1 + stay) // max(unit.interval, gap, stay))


def _stay(steps: Sequence[Steps], reader: tuple[int, int]) -> int:
    """Cycles for which a reader looks at a beat."""
    unit, slot = reader
    return int(steps[unit].looks[slot].sum() // steps[unit].takes[slot].sum()) if unit >= 0 else 1


def _opened(network: Network, unit: int, depths: Sequence[int]) -> tuple[int, ...]:
    """The depths, but 0 (no limit) for readers with several inputs."""
    readers = network.readers(unit)
    return tuple(
        0 if reader >= 0 and len(network.units[reader].inputs) > 1 else depth
        for (reader, _), depth in zip(readers, depths, strict=True)
    )


@dataclass
class _Link:
    """A FIFO, or a port: cycles in which beats become visible, and in which they leave; depth 0 means no limit."""

    depth: int = 0
    arrivals: list[int] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)


@dataclass
class _Walk:
    """One unit on its way through its steps. `fired` are the cycles in which it has made vectors."""

    unit: Unit
    sources: list[_Link]
    sinks: list[_Link]
    fired: list[int] = field(default_factory=list)

    def steps(self, frames: int) -> Iterator[int]:
        """Make every step whose cycle is known; yields how many vectors and beats were moved, when it has to wait."""
        program, fired, taken = _program(self.unit), self.fired, [0] * len(self.sources)
        cycle, free, interval, flight = -1, 0, self.unit.interval, self.unit.latency + 1
        limits = [(sink.leaves, sink.depth) for sink in self.sinks if sink.depth]
        for looks, takes, makes in program * frames:
            cycle += 1
            for slot in looks:
                arrivals = self.sources[slot].arrivals
                while taken[slot] >= len(arrivals):
                    yield len(fired) + sum(taken)
                cycle = max(cycle, arrivals[taken[slot]])
            if makes:
                cycle = max(cycle, free)
                for leaves, depth in limits:
                    gone = len(fired) - depth
                    while gone >= len(leaves):
                        yield len(fired) + sum(taken)
                    cycle = max(cycle, leaves[gone] + 1) if gone >= 0 else cycle
                fired.append(cycle)
                free = cycle + interval
                for sink in self.sinks:
                    sink.arrivals.append(cycle + flight)
            for slot in takes:
                self.sources[slot].leaves.append(cycle)
                taken[slot] += 1


def _program(unit: Unit) -> list[tuple[tuple[int, ...], tuple[int, ...], bool]]:
    """For each step of a frame the inputs it has to wait for, those it takes a beat of, and whether it makes a vector.

    Inputs of the graph always have a beat.
    """
    steps = unit.front.steps()
    inner = np.array([source >= 0 for source in unit.inputs])[:, None]
    looks, takes = (_slots(flags) for flags in (steps.looks & inner, steps.takes))
    return list(zip(looks, takes, steps.makes.tolist(), strict=True))


def _slots(flags: NDArray[np.bool_]) -> list[tuple[int, ...]]:
    """For each column the rows that are set."""
    return [tuple(slot for slot, on in enumerate(column) if on) for column in flags.T.tolist()]


def run(network: Network, depths: Depths, frames: int) -> Times:
    """The cycles of `frames` frames, back to back; depth 0 means no limit.

    Raises:
        RuntimeError: the network stops before the end.
    """
    links = {
        (u, reader): _Link(depth)
        for u in range(len(network.units))
        for reader, depth in zip(network.readers(u), depths[u], strict=True)
    }
    for (_, (reader, _)), link in links.items():
        if reader < 0:  # a sink takes each beat at once
            link.leaves = link.arrivals
    links |= {(source, (u, slot)): _Link() for u, slot, source in network.entries}
    walks = [
        _Walk(
            unit,
            [links[source, (u, slot)] for slot, source in enumerate(unit.inputs)],
            [links[u, reader] for reader in network.readers(u)],
        )
        for u, unit in enumerate(network.units)
    ]
    _advance([walk.steps(frames) for walk in walks], network)
    return _times(network, walks, links, frames)


def _advance(walks: list[Iterator[int]], network: Network) -> None:
    """Let all units step in turn until each has made its last step."""
    before: list[int | None] = []
    places = [next(walk, None) for walk in walks]
    while any(place is not None for place in places):
        if places == before:
            raise RuntimeError(f"the FIFOs of '{network.graph.name}' are too small: it stops")
        before = places
        places = [place if place is None else next(walk, None) for walk, place in zip(walks, places, strict=True)]


Links = dict[tuple[int, tuple[int, int]], _Link]


def _times(network: Network, walks: list[_Walk], links: Links, frames: int) -> Times:
    entries = [links[source, (u, slot)].leaves for u, slot, source in network.entries]
    results = [link.arrivals for (_, reader), link in links.items() if reader[0] < 0]
    begins = [np.reshape(leaves, (frames, -1))[:, 0] for leaves in entries]
    ends = [np.reshape(arrivals, (frames, -1))[:, -1] for arrivals in results]
    uses = tuple(
        tuple(_words(walk.fired, links[u, reader].leaves) for reader in network.readers(u))
        for u, walk in enumerate(walks)
    )
    return Times(np.min(begins, axis=0), np.max(ends, axis=0), uses)


def _words(fired: list[int], leaves: list[int]) -> Cycles:
    """Words reserved when each vector sets out, its own included, until the cycle after its result has left."""
    gone = np.searchsorted(leaves, np.asarray(fired) - 1, side="right")
    return np.arange(1, len(fired) + 1) - gone
