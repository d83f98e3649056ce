"""What an exploration proves, relative to what, and the colour that it deserves.

In: an `Outcome`. Out: a `Verdict`. It is green where all designs are proved optimal and what the proof rests on held;
amber where something must be read with it: learnt bounds that did not hold or were never tested, sums that differ from
whole designs, a front that was cut short, a rate at a clock that nobody measured. It is red where a design is not
proved optimal, or built whole breaks a limit, or routed misses the clock asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hlsflow.core.metrics import Stage
from hlsflow.explore.outcome import OPEN, Outcome
from hlsflow.explore.study import Confirmation
from hlsflow.report.document import Tone, Verdict, number, worst
from hlsflow.toolchains.nextpnr import no_fmax

MEAN_ERROR, WORST_ERROR = 0.02, 0.05
"""What sums of layers are meant to keep to: LUT, on average and at worst; DSP and BRAM are to be exact."""


NO_FMAX = "Fmax: not measured"


@dataclass(frozen=True)
class Said:
    """One thing that is said of the designs: its colour, what stands of it in the headline, and all of it."""

    tone: Tone
    short: str
    text: str


def judged(outcome: Outcome) -> Verdict:
    """The verdict; its sentences say what it is relative to."""
    sentences = [*_proof(outcome), *_bounds(outcome), *_built(outcome), *_clock(outcome)]
    count = len(outcome.answer.solutions)
    designs = f"{count} designs, each" if count > 1 else "1 design,"
    proved = "proved" if proves(outcome) else "NOT proved"
    short = "".join(f"; {sentence.short}" for sentence in sentences if sentence.short)
    text = f"{designs} {proved} optimal in sums of layers{short}"
    return Verdict(text, worst(sentence.tone for sentence in sentences), tuple(sentence.text for sentence in sentences))


def proves(outcome: Outcome) -> bool:
    """Whether every design is an optimum of the problem as it was posed to the solver."""
    return all(solution.proved for solution in outcome.answer.solutions)


def _proof(outcome: Outcome) -> Iterator[Said]:
    open_points = [str(point) for point, solution in enumerate(outcome.answer.solutions, 1) if not solution.proved]
    cycles = "the schedule" if outcome.engine is OPEN else "the same reports"
    figures = f"area of layers by {outcome.tool} for {outcome.target}, cycles by {cycles}"
    if open_points:
        text = f"NOT proved: point {', '.join(open_points)} may be beaten by a design that the solver did not exclude"
        yield Said("bad", "", f"{text}; {figures}")
    else:
        text = "proved by MILP (HiGHS), gap 0: no other choice of knobs within the limits has a smaller sum of layers"
        yield Said("good", "", f"{text}; {figures}")
    if not outcome.answer.complete:
        yield Said("warn", "cut short", "cut short: this is not the whole front")


def _bounds(outcome: Outcome) -> Iterator[Said]:
    """What the proof owes to layers that were never synthesized."""
    effort = outcome.answer.effort
    if effort.measured >= effort.configurations:
        return
    left = f"{effort.configurations - effort.measured:,} of {effort.configurations:,}"
    text = f"{left} layer configurations were left out by learnt lower bounds of their area, not synthesized"
    tested = f"later measurements tested {effort.tested:,} such bounds, of which {effort.broken:,} did not hold"
    if effort.broken:
        yield Said("warn", f"{effort.broken:,} of {effort.tested:,} learnt bounds did not hold", f"{text}; {tested}")
    elif not effort.tested:
        yield Said("warn", "learnt bounds never tested", f"{text}; no measurement tested these bounds")
    else:
        yield Said("good", "", f"{text}; {tested}")


def _built(outcome: Outcome) -> Iterator[Said]:
    """What designs built whole say of the sums, and of the limits."""
    if not outcome.confirmed:
        yield Said("warn", "none built whole", "no design was built whole: all figures are sums of layers")
        return
    short = "" if _kept(outcome) else "sums MISSED whole designs" if outcome.engine.exact else "sums are no promise"
    tone: Tone = "good" if _kept(outcome) else "warn"
    yield Said(tone, short, f"whole designs beside the sums of their layers: {compared(outcome)}")
    for point, confirmation in outcome.confirmed.items():
        for name, most in outcome.question.limits.items():
            value = confirmation.built.get(name)
            if value is not None and value > most:
                text = f"point {point}, built whole, takes {name} {value:,}, and the limit is {most:,}"
                yield Said("bad", f"point {point} breaks the limit of {name}", text)


def _clock(outcome: Outcome) -> Iterator[Said]:
    """What is known of the clock; a rate that was asked for is not shown where no clock is measured."""
    asked = f"{outcome.clock_ns:g} ns"
    if not outcome.routed:
        text = f"{NO_FMAX} ({_no_router(outcome)}); rates are at the clock asked, {asked}"
        if outcome.per_second is None:
            yield Said("", "", text)
        else:
            short = f"{outcome.per_second:,.10g} inferences/s not shown, for no clock was measured"
            yield Said("warn", short, text)
    for point, metrics in outcome.routed.items():
        fmax = metrics.get("fmax_mhz", Stage.ROUTED)
        if fmax is None or fmax.value is None:
            why = fmax.note if fmax else "no figure"
            yield Said("bad", f"point {point} is not routed", f"point {point}: {NO_FMAX}: {why}")
        elif fmax.value * outcome.clock_ns < 1000:
            asked_mhz = f"{1000 / outcome.clock_ns:g} MHz were asked"
            text = f"point {point} runs at {number(fmax.value)} MHz, routed, and {asked_mhz}"
            yield Said("bad", f"point {point} MISSED the clock", text)
        else:
            yield Said(
                "good", "", f"point {point} runs at {number(fmax.value)} MHz, routed; the clock asked is {asked}"
            )


def _no_router(outcome: Outcome) -> str:
    if outcome.engine is not OPEN:
        return "csynth estimates the clock, and nothing is routed"
    return no_fmax(outcome.target)


def errors(confirmed: Sequence[Confirmation]) -> dict[str, Any]:
    """How far sums are from whole designs: LUT mean and worst (absolute shares), DSP and BRAM exact or not."""
    luts = [abs(error) for confirmation in confirmed if (error := confirmation.error("lut")) is not None]
    exact = {
        name: all(confirmation.characterised[name] == confirmation.built[name] for confirmation in confirmed)
        if confirmed
        else None
        for name in ("dsp", "bram")
    }
    mean = sum(luts) / len(luts) if luts else None
    return {"designs": len(confirmed), "lut_mean": mean, "lut_worst": max(luts, default=None), **exact}


def compared(outcome: Outcome) -> str:
    """What the errors are, and whether they are as meant."""
    error = errors(list(outcome.confirmed.values()))
    exact = ", ".join(f"{name.upper()} {'exact' if error[name] else 'NOT exact'}" for name in ("dsp", "bram"))
    if error["lut_mean"] is None:
        return f"{error['designs']} designs, none of which has any LUTs; {exact}."
    off = f"mean absolute LUT error {error['lut_mean']:.2%}, worst {error['lut_worst']:.2%}"
    return f"{error['designs']} designs: {off}; {exact}. {_meant(outcome)}"


def _kept(outcome: Outcome) -> bool:
    """Whether sums are as near to whole designs as they are meant to be; never, where nothing is promised."""
    error = errors(list(outcome.confirmed.values()))
    near = (error["lut_mean"] or 0.0) <= MEAN_ERROR and (error["lut_worst"] or 0.0) <= WORST_ERROR
    return outcome.engine.exact and near and bool(error["dsp"] and error["bram"])


def _meant(outcome: Outcome) -> str:
    if not outcome.engine.exact:
        return "Nothing is promised of sums of what a C synthesizer estimates of layers."
    verdict = "kept" if _kept(outcome) else "MISSED"
    return f"Meant to be at most {MEAN_ERROR:.0%} and {WORST_ERROR:.0%}, and exact: {verdict}."
