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

TIMED_STEPS = 20_000
MOST_STEPS = 2_000_000
"""Steps of all units: at least, and at most while the network has not settled. 2,000,000 take some three seconds."""

FEWEST_FRAMES = 4


@dataclass(frozen=True, eq=False)
class Times:
    """What happens when sources always have data and sinks always take them.

    Attributes:
        begins: (frames,): cycle in which the first beat of a frame is taken, at any input.
        ends: (frames,): cycle in which the last beat of a frame is taken, at any output.
    """

    begins: Cycles
    ends: Cycles

    @property
    def latency(self) -> int:
        """Of the first frame, which finds everything idle."""
        return int(self.ends[0] - self.begins[0])

    @property
    def interval(self) -> int:
        """Cycles between two frames once everything has settled."""
        return int(np.diff(self.ends)[len(self.ends) // 2 :].max())

    @property
    def settled(self) -> bool:
        """Whether the later half of the frames came at equal distances."""
        return len(set(np.diff(self.ends)[len(self.ends) // 2 - 1 :].tolist())) == 1


def fit(network: Network) -> tuple[Depths, Times]:
    """FIFO depths with which pipelines stay busy and no branch waits for another one's FIFO, and what happens then.

    A FIFO that feeds a unit with several inputs has to hold what the other branches are behind. How much that is,
    follows from two schedules of the network in which these FIFOs have no limit: the earliest one says when frames are
    done; the latest one that has them done at the same time makes everything as late as it may be, and what its FIFOs
    hold at most is deep enough. For FIFOs that feed a unit with one input see `least_depths`.
    """
    least = least_depths(network)
    opened = tuple(_opened(network, u, depths) for u, depths in enumerate(least))
    steps = sum(len(unit.front.steps().makes) for unit in network.units)
    frames = max(FEWEST_FRAMES, TIMED_STEPS // steps)
    while not (played := _earliest(network, opened, frames)).times.settled and 2 * frames * steps <= MOST_STEPS:
        frames *= 2
    needed = _latest(network, opened, frames, played).most_words()
    return tuple(tuple(map(max, *both)) for both in zip(least, needed, strict=True)), played.times


def run(network: Network, depths: Depths, frames: int) -> Times:
    """The cycles of `frames` frames, back to back; depth 0 means no limit.

    Raises:
        RuntimeError: the network stops before the end.
    """
    return _earliest(network, depths, frames).times


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
    """A FIFO, or a port of the graph: for each beat the cycles of what happens to it.

    Attributes:
        depth: words; 0 means no limit.
        flight: cycles from the one in which its vector sets out to the one in which it is visible.
        outside: whether the reader is not a unit but takes each beat at once.
        sets_out: cycle in which its vector is made.
        looks: cycle in which the reader wants it first.
        leaves: cycle in which the reader takes it.
    """

    depth: int = 0
    flight: int = 0
    outside: bool = False
    sets_out: list[int] = field(default_factory=list)
    looks: list[int] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)

    def most_words(self) -> int:
        """Words taken at most: from the cycle in which a vector sets out to the one after its beat has left."""
        gone = np.searchsorted(self.leaves, np.asarray(self.sets_out) - 1, side="right")
        return int((np.arange(1, len(self.sets_out) + 1) - gone).max())


@dataclass(frozen=True, eq=False)
class _Play:
    """A schedule of some frames: the links by (source, reader)."""

    network: Network
    links: dict[tuple[int, tuple[int, int]], _Link]
    frames: int

    @classmethod
    def before(cls, network: Network, depths: Depths, frames: int) -> _Play:
        """Nothing has happened yet."""
        links = {
            (u, reader): _Link(depth, unit.latency + 1, reader[0] < 0)
            for u, unit in enumerate(network.units)
            for reader, depth in zip(network.readers(u), depths[u], strict=True)
        }
        entries = {(source, (u, slot)): _Link() for u, slot, source in network.entries}
        return cls(network, links | entries, frames)

    def around(self, u: int) -> tuple[list[_Link], list[_Link]]:
        """The links into a unit and out of it."""
        sources = [self.links[source, (u, slot)] for slot, source in enumerate(self.network.units[u].inputs)]
        return sources, [self.links[u, reader] for reader in self.network.readers(u)]

    def outside(self) -> list[_Link]:
        """The links to the outputs of the graph."""
        return [link for link in self.links.values() if link.outside]

    @property
    def times(self) -> Times:
        begins = [self._framed(link.leaves)[:, 0] for (source, _), link in self.links.items() if source < 0]
        ends = [self._framed(link.sets_out)[:, -1] + link.flight for link in self.outside()]
        return Times(np.min(begins, axis=0), np.max(ends, axis=0))

    def _framed(self, cycles: list[int]) -> Cycles:
        return np.reshape(cycles, (self.frames, -1))

    def most_words(self) -> Depths:
        """Words that each FIFO holds at most; 1 for those to the outside."""
        units = range(len(self.network.units))
        return tuple(tuple(1 if link.outside else link.most_words() for link in self.around(u)[1]) for u in units)


def _earliest(network: Network, depths: Depths, frames: int) -> _Play:
    """Everything as early as it may be."""
    play = _Play.before(network, depths, frames)
    _finish(network, [_forward(unit, *play.around(u), frames) for u, unit in enumerate(network.units)])
    return play


def _latest(network: Network, depths: Depths, frames: int, earliest: _Play) -> _Play:
    """Everything as late as it may be, with each frame done at the same time.

    Outputs that run ahead of others are put off to the end of the slowest one, each frame as a whole.
    """
    play = _Play.before(network, depths, frames)
    for link, early in zip(play.outside(), earliest.outside(), strict=True):
        arrivals = np.reshape(early.sets_out, (frames, -1)) + early.flight
        deadlines = arrivals + (earliest.times.ends - arrivals[:, -1])[:, None]
        link.looks = deadlines.ravel()[::-1].tolist()
    _finish(network, [_backward(unit, *play.around(u), frames) for u, unit in enumerate(network.units)])
    for link in play.links.values():
        link.sets_out.reverse()
        link.leaves.reverse()
    return play


def _finish(network: Network, walks: list[Iterator[int]]) -> None:
    """Let all units step in turn until each has made its last step."""
    before: list[int | None] = []
    places = [next(walk, None) for walk in walks]
    while any(place is not None for place in places):
        if places == before:
            raise RuntimeError(f"the FIFOs of '{network.graph.name}' are too small: it stops")
        before = places
        places = [place if place is None else next(walk, None) for walk, place in zip(walks, places, strict=True)]


def _forward(unit: Unit, sources: list[_Link], sinks: list[_Link], frames: int) -> Iterator[int]:
    """Make every step whose cycle is known; yields how much was moved so far when there is none."""
    program, taken, made = _program(unit), [0] * len(sources), 0
    cycle, free = -1, 0
    limits = [
        (sink.sets_out, sink.flight + 1, sink.depth) if sink.outside else (sink.leaves, 1, sink.depth)
        for sink in sinks
        if sink.depth
    ]
    for step in program * frames:
        cycle += 1
        for slot in step.looks:
            source = sources[slot]
            while taken[slot] >= len(source.sets_out):
                yield made + sum(taken)
            cycle = max(cycle, source.sets_out[taken[slot]] + source.flight)
        if step.makes:
            cycle = max(cycle, free)
            for leaves, later, depth in limits:
                while made - depth >= len(leaves):
                    yield made + sum(taken)
                cycle = max(cycle, leaves[made - depth] + later) if made >= depth else cycle
            free, made = cycle + unit.interval, made + 1
            for sink in sinks:
                sink.sets_out.append(cycle)
        for slot in step.takes:
            sources[slot].leaves.append(cycle)
            taken[slot] += 1


def _backward(unit: Unit, sources: list[_Link], sinks: list[_Link], frames: int) -> Iterator[int]:
    """The same from the last step to the first: each as late as the steps that follow from it allow.

    All lists are filled from their ends. Steps after the last vector of all have no limit.
    """
    program, taken, made = _program(unit)[::-1], [0] * len(sources), 0
    cycle = free = NEVER
    for step in program * frames:
        cycle -= 1
        if step.makes:
            cycle = min(cycle, free)
            for sink in sinks:
                while made >= len(sink.looks):
                    yield made + sum(taken)
                cycle = min(cycle, sink.looks[made] - sink.flight)
        for slot in step.takes:
            source = sources[slot]
            if not source.depth or taken[slot] < source.depth:
                continue
            while taken[slot] - source.depth >= len(source.sets_out):
                yield made + sum(taken)
            cycle = min(cycle, source.sets_out[taken[slot] - source.depth] - 1)
        if step.makes:
            free, made = cycle - unit.interval, made + 1
            for sink in sinks:
                sink.sets_out.append(cycle)
        for slot in step.takes:
            sources[slot].leaves.append(cycle)
            taken[slot] += 1
        for slot in step.opens:
            sources[slot].looks.append(cycle)


NEVER = 1 << 60


@dataclass(frozen=True)
class _Step:
    """Inputs that a step waits for, those it takes a beat of, those whose beat it looks at first; if it makes a vector.

    Inputs of the graph always have a beat: no step waits for them.
    """

    looks: tuple[int, ...]
    takes: tuple[int, ...]
    opens: tuple[int, ...]
    makes: bool


def _program(unit: Unit) -> list[_Step]:
    steps = unit.front.steps()
    inner = np.array([source >= 0 for source in unit.inputs])[:, None]
    slots = [_slots(flags) for flags in (steps.looks & inner, steps.takes, _opening(steps))]
    return [_Step(*row) for row in zip(*slots, steps.makes.tolist(), strict=True)]


def _opening(steps: Steps) -> NDArray[np.bool_]:
    """(inputs, steps): the step is the first one that looks at a beat."""
    opening = np.zeros_like(steps.looks)
    for slot, looks in enumerate(steps.looks):
        places = np.flatnonzero(looks)
        opening[slot, places] = np.roll(steps.takes[slot, places], 1)
    return opening


def _slots(flags: NDArray[np.bool_]) -> list[tuple[int, ...]]:
    """For each column the rows that are set."""
    return [tuple(slot for slot, on in enumerate(column) if on) for column in flags.T.tolist()]
