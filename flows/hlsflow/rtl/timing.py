"""When each unit makes each of its steps: exact cycles, and from them FIFO depths, latency and initiation interval.

In hardware a unit steps in cycle t when the beats that the step looks at are there, and, where the step makes a vector,
when the pipeline's interval has passed since the last one and every FIFO at its end has room for the result. So with
t(k) the cycle of step k,

    t(k) = max(t(k-1) + 1,
               arrival of each beat that it looks at,
               cycle of the last vector + interval            where it makes a vector,
               cycle in which beat (n - depth) left a FIFO + 1  where its result is beat n of that FIFO)

and the result arrives latency + 1 cycles later. These are max-plus equations of a marked graph (Baccelli, Cohen, Olsder
and Quadrat, "Synchronization and Linearity", 1992). `run` solves them step by step. `fit` leaves out the last line, so
that no unit waits for one behind it; then each unit's cycles follow from those before it at once, and the interval of
the whole is that of its slowest unit. It finds depths with which that line changes nothing.

Deadlock: units read and write in an order that does not depend on time, so the network is a Kahn process network
(Kahn, "The semantics of a simple language for parallel programming", 1974), bounded FIFOs included: whether it stops
is the same for every timing of the surroundings. With the depths of `fit` whole frames come out, and leave every FIFO
empty, hence it never stops, whatever the sources and sinks do.

In: a `Network`. Out: a `Fit`, or the `Times` of given depths.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hlsflow.rtl.fronts import Steps
from hlsflow.rtl.units import Network, Unit

Cycles = NDArray[np.int64]

Depths = tuple[tuple[int, ...], ...]
"""For each unit, for each of its readers (in the order of `Network.readers`): words of its FIFO."""

FEWEST_FRAMES = 4
MOST_FRAMES = 100
STEPS = 100_000
"""Frames over which depths are found: as many as make this number of steps of all units, within these limits."""


@dataclass(frozen=True, eq=False)
class Times:
    """What happens when sources always have data and sinks always take them.

    Attributes:
        port_begins: (frames, inputs): cycle in which the first beat of a frame is taken.
        port_ends: (frames, outputs): cycle in which the last beat of a frame is there.
    """

    port_begins: Cycles
    port_ends: Cycles

    @property
    def begins(self) -> Cycles:
        """(frames,): cycle in which the first beat of a frame is taken, at any input."""
        first: Cycles = self.port_begins.min(1)
        return first

    @property
    def ends(self) -> Cycles:
        """(frames,): cycle in which the last beat of a frame is there, at any output."""
        last: Cycles = self.port_ends.max(1)
        return last


@dataclass(frozen=True, eq=False)
class Fit:
    """Depths with which no FIFO slows the network down.

    Attributes:
        depths: of the FIFOs.
        latency: cycles of a frame that finds everything idle.
        interval: cycles between two frames in the long run.
        ends: (frames,): as in `Times`.
    """

    depths: Depths
    latency: int
    interval: int
    ends: Cycles


def fit(network: Network) -> Fit:
    """FIFO depths from three schedules without FIFO limits.

    The earliest one says when frames are done. The latest one that has them done by then says when each beat is wanted
    from outside. If inputs come only then, and all else happens as early as it may, frames are done in time still, and
    branches wait for each other no longer than they must; what FIFOs hold in this third schedule is deep enough.
    """
    steps = sum(len(unit.front.steps().makes) for unit in network.units)
    frames = min(max(FEWEST_FRAMES, STEPS // steps), MOST_FRAMES)
    courses = [Course.of(unit, frames) for unit in network.units]
    early = earliest(courses, {})
    arrivals = _arrivals(network, courses, early, frames)
    ends = np.max([cycles[:, -1] for cycles in arrivals], axis=0)
    wanted = _latest(network, courses, arrivals, max(int(cycles[-1]) for cycles in early))
    entries = {(u, slot): wanted[u][courses[u].takes[slot]] for u, slot, _ in network.entries}
    relaxed = earliest(courses, entries)
    depths = tuple(
        tuple(_most_words(courses, relaxed, u, reader) for reader in network.readers(u)) for u in range(len(courses))
    )
    begin = min(int(early[u][courses[u].takes[slot][0]]) for u, slot, _ in network.entries)
    latency = _through(network, depths) if holds_beats(network) else int(ends[0]) - begin
    return Fit(depths, latency, max(map(period, network.units)), ends)


def holds_beats(network: Network) -> bool:
    """Whether an input's beat is taken later than it is first looked at, as one that is split into pixels is."""
    frames = [(network.units[u].front.steps(), slot) for u, slot, _ in network.entries]
    return any(np.argmax(steps.takes[slot]) > np.argmax(steps.looks[slot]) for steps, slot in frames)


def _through(network: Network, depths: Depths) -> int:
    """The latency where FIFOs decide when a beat is taken: one that is held is taken with the last of its pixels."""
    times = run(network, depths, 1)
    return int(times.ends[0] - times.begins[0])


@dataclass(frozen=True, eq=False)
class Course:
    """The steps of a unit over some frames; all arrays hold numbers of steps or beats.

    Attributes:
        steps: how many there are.
        makes: steps that make a vector.
        takes: for each input, for each beat the step that takes it.
        opens: for each input, for each beat the step that looks at it first.
        looks: for each input, steps that look at a beat, and which beat it is.
    """

    unit: Unit
    steps: int
    makes: Cycles
    takes: tuple[Cycles, ...]
    opens: tuple[Cycles, ...]
    looks: tuple[tuple[Cycles, Cycles], ...]

    @classmethod
    def of(cls, unit: Unit, frames: int) -> Course:
        frame = unit.front.steps()
        takes, looks, opens = (np.tile(flags, frames) for flags in (frame.takes, frame.looks, _opening(frame)))
        beats: Cycles = np.cumsum(takes, axis=1) - takes
        return cls(
            unit=unit,
            steps=takes.shape[1],
            makes=np.flatnonzero(np.tile(frame.makes, frames)),
            takes=tuple(np.flatnonzero(row) for row in takes),
            opens=tuple(np.flatnonzero(row) for row in opens),
            looks=tuple((np.flatnonzero(row), beat[row]) for row, beat in zip(looks, beats, strict=True)),
        )

    @property
    def flight(self) -> int:
        """Cycles from the one in which a vector is made to the one in which its result is visible."""
        return self.unit.latency + 1

    def earliest(self, lower: Cycles) -> Cycles:
        """The earliest cycles of all steps, none before its bound."""
        return _solved(lower, self.makes, self.unit.interval)

    def latest(self, upper: Cycles) -> Cycles:
        """The latest cycles of all steps, none after its bound: the same with time running backward."""
        return -_solved(-upper[::-1], self.steps - 1 - self.makes[::-1], self.unit.interval)[::-1]


def _opening(steps: Steps) -> NDArray[np.bool_]:
    """(inputs, steps): the step is the first one that looks at a beat."""
    opening = np.zeros_like(steps.looks)
    for slot, looks in enumerate(steps.looks):
        places = np.flatnonzero(looks)
        opening[slot, places] = np.roll(steps.takes[slot, places], 1)
    return opening


def _solved(lower: Cycles, makes: Cycles, interval: int) -> Cycles:
    """The least t with t[k] >= lower[k], t[k] >= t[k-1] + 1, and `interval` cycles between steps of `makes`.

    Without the interval, t[k] - k is the running maximum of lower[k] - k. With it, the steps of `makes` come first:
    each is max(interval, steps between) after the one before at least, and bounded by all steps since then.
    """
    place = np.arange(len(lower))
    slack = lower - place
    if interval > 1 and len(makes) > 1:
        since = np.concatenate([[0], makes[:-1] + 1])
        own = makes + np.maximum.reduceat(slack[: makes[-1] + 1], since)
        span = np.concatenate([[0], np.cumsum(np.maximum(np.diff(makes), interval))])
        slack[makes] = span + np.maximum.accumulate(own - span) - makes
    return place + np.maximum.accumulate(slack)


def earliest(courses: list[Course], entries: Mapping[tuple[int, int], Cycles]) -> list[Cycles]:
    """For each unit the cycles of its steps; `entries`: by (unit, input) when beats come in, else at once."""
    cycles: list[Cycles] = []
    for u, course in enumerate(courses):
        lower = np.zeros(course.steps, np.int64)
        lower[0] = _start(course.unit)
        for slot, source in enumerate(course.unit.inputs):
            if source >= 0:
                steps, beats = course.looks[slot]
                arrivals = cycles[source][courses[source].makes] + courses[source].flight
                lower[steps] = np.maximum(lower[steps], arrivals[beats])
            elif (u, slot) in entries:
                lower[course.takes[slot]] = np.maximum(lower[course.takes[slot]], entries[u, slot])
        cycles.append(course.earliest(lower))
    return cycles


def _latest(network: Network, courses: list[Course], arrivals: list[Cycles], horizon: int) -> list[Cycles]:
    """For each unit the cycles of its steps when each frame is done in time, but everything is as late as it may be.

    Outputs that run ahead of the slowest one are put off, each frame as a whole. Nothing is put off beyond `horizon`.
    """
    ends = np.max([cycles[:, -1] for cycles in arrivals], axis=0)
    deadlines = [(cycles + (ends - cycles[:, -1])[:, None]).ravel() for cycles in arrivals]
    latest: dict[int, Cycles] = {}
    for u, course in reversed(list(enumerate(courses))):
        upper = np.full(course.steps, max(horizon, ends[-1]))
        for reader, slot in network.readers(u):
            looks = latest[reader][courses[reader].opens[slot]] if reader >= 0 else deadlines[slot]
            upper[course.makes] = np.minimum(upper[course.makes], looks - course.flight)
        latest[u] = course.latest(upper)
    return [latest[u] for u in range(len(courses))]


def _arrivals(network: Network, courses: list[Course], cycles: list[Cycles], frames: int) -> list[Cycles]:
    """For each output of the graph, (frames, beats): when its beats come out."""
    return [(cycles[u][courses[u].makes] + courses[u].flight).reshape(frames, -1) for u in network.outputs]


def _most_words(courses: list[Course], cycles: list[Cycles], u: int, reader: tuple[int, int]) -> int:
    """Words of a FIFO taken at most: from the cycle in which a vector is made to the one after its beat has left."""
    made, (unit, slot) = cycles[u][courses[u].makes], reader
    leaves = cycles[unit][courses[unit].takes[slot]] if unit >= 0 else made + courses[u].flight
    gone = np.searchsorted(leaves, made - 1, side="right")
    return int((np.arange(1, len(made) + 1) - gone).max())


def period(unit: Unit) -> int:
    """Cycles of a frame where beats always wait and FIFOs always have room."""
    makes = unit.front.steps().makes
    places = np.flatnonzero(makes)
    gaps = np.diff(places, append=places[0] + len(makes))
    return int(np.maximum(gaps, unit.interval).sum())


def run(network: Network, depths: Depths, frames: int) -> Times:
    """The cycles of `frames` frames, back to back, with FIFOs of these depths.

    Raises:
        RuntimeError: the network stops before the end.
    """
    links = {
        (u, reader): _Link(depth, unit.latency + 1, reader[0] < 0)
        for u, unit in enumerate(network.units)
        for reader, depth in zip(network.readers(u), depths[u], strict=True)
    }
    entries = {(source, (u, slot)): _Link() for u, slot, source in network.entries}
    every = links | entries
    walks = [
        _walk(
            unit,
            [every[source, (u, slot)] for slot, source in enumerate(unit.inputs)],
            [every[u, reader] for reader in network.readers(u)],
            frames,
        )
        for u, unit in enumerate(network.units)
    ]
    _finish(network, walks)
    begins = {~source: np.reshape(link.leaves, (frames, -1))[:, 0] for (source, _), link in entries.items()}
    outside = {reader[1]: link for (_, reader), link in links.items() if link.outside}
    ends = {port: np.reshape(link.arrivals, (frames, -1))[:, -1] for port, link in outside.items()}
    return Times(_by_port(begins), _by_port(ends))


def _by_port(cycles: Mapping[int, Cycles]) -> Cycles:
    return np.stack([cycles[port] for port in sorted(cycles)], axis=1)


@dataclass
class _Link:
    """A FIFO, or a port of the graph.

    Attributes:
        depth: words.
        flight: cycles from the one in which a vector is made to the one in which its result is visible.
        outside: whether the reader is no unit, but takes each beat at once.
        arrivals, leaves: for each beat the cycle in which it is visible, and the one in which it is taken.
    """

    depth: int = 0
    flight: int = 0
    outside: bool = False
    arrivals: list[int] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)

    @property
    def gone(self) -> list[int]:
        """For each beat the cycle in which its word becomes free."""
        return self.arrivals if self.outside else self.leaves


def _finish(network: Network, walks: list[Iterator[int]]) -> None:
    """Let all units step in turn until each has made its last step."""
    before: list[int | None] = []
    places = [next(walk, None) for walk in walks]
    while any(place is not None for place in places):
        if places == before:
            raise RuntimeError(f"the FIFOs of '{network.graph.name}' are too small: it stops")
        before = places
        places = [place if place is None else next(walk, None) for walk, place in zip(walks, places, strict=True)]


def _walk(unit: Unit, sources: list[_Link], sinks: list[_Link], frames: int) -> Iterator[int]:
    """Make every step whose cycle is known; yields how much was moved so far when there is none."""
    program, taken, made = _program(unit), [0] * len(sources), 0
    # Between reset and the first beats lies one cycle: enough for a step that neither looks nor makes.
    cycle, free = -1 if any(program[0]) else -2, 0
    limits = [(sink.gone, sink.depth) for sink in sinks]
    for looks, takes, makes in program * frames:
        cycle += 1
        for slot in looks:
            while taken[slot] >= len(sources[slot].arrivals):
                yield made + sum(taken)
            cycle = max(cycle, sources[slot].arrivals[taken[slot]])
        if makes:
            cycle = max(cycle, free)
            for gone, depth in limits:
                while made - depth >= len(gone):
                    yield made + sum(taken)
                cycle = max(cycle, gone[made - depth] + 1) if made >= depth else cycle
            free, made = cycle + unit.interval, made + 1
            for sink in sinks:
                sink.arrivals.append(cycle + sink.flight)
        for slot in takes:
            sources[slot].leaves.append(cycle)
            taken[slot] += 1


def _start(unit: Unit) -> int:
    """The first cycle in which a unit can step: before the first beats lies one cycle, enough for a step in padding."""
    steps = unit.front.steps()
    return 0 if steps.looks[:, 0].any() or steps.makes[0] else -1


def _program(unit: Unit) -> list[tuple[tuple[int, ...], tuple[int, ...], bool]]:
    """For each step of a frame the inputs it waits for, those it takes a beat of, and whether it makes a vector.

    Inputs of the graph always have a beat: no step waits for them.
    """
    steps = unit.front.steps()
    inner = np.array([source >= 0 for source in unit.inputs])[:, None]
    return list(zip(_slots(steps.looks & inner), _slots(steps.takes), steps.makes.tolist(), strict=True))


def _slots(flags: NDArray[np.bool_]) -> list[tuple[int, ...]]:
    """For each column the rows that are set."""
    return [tuple(slot for slot, on in enumerate(column) if on) for column in flags.T.tolist()]
