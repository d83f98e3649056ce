"""Tables [sweep], [budgets] and [explore]: which design points are measured, and which are good enough."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator as After
from pydantic import BeforeValidator, Field

from hlsflow.core.choices import Multiplier, Strategy, WeightsIn
from hlsflow.project.section import Bits, ByName, Positive, Section, as_tuple, unique


class Sweep(Section):
    """Default reuse factors to measure, in that order; empty: the one in [knobs] alone."""

    reuse_factor: Annotated[tuple[Positive, ...], BeforeValidator(as_tuple), After(unique)] = ()


class Budget(Section):
    """Largest figures allowed on one family; those left out are not judged. Units as in
    `hlsflow.core.metrics.UNITS`.
    """

    lut: Positive | None = None
    ff: Positive | None = None
    dsp: Annotated[int, Field(ge=0)] | None = None
    bram: Annotated[int, Field(ge=0)] | None = None
    latency_cycles: Positive | None = None
    ii: Positive | None = None


class Explore(Section):
    """What `hlsflow explore` tries at every reuse factor, and who synthesizes; limits are those of [budgets].

    Attributes:
        multiplier, strategy, weights_in: as the knobs of the same names, each with each.
        weight_bits: widths to try for the weights of each layer, besides its own.
        accuracy_drop: how much less accurate narrower weights may make the network before it is trained again, 0 to 1;
            of a regression, how much less of the targets' variance it may explain (R²).
        cluster: `local`, the address of a Dask scheduler, or `slurm` or `htcondor` by dask-jobqueue.
    """

    multiplier: Annotated[
        tuple[ByName[Multiplier], ...], BeforeValidator(as_tuple), Field(min_length=1), After(unique)
    ] = (Multiplier.DSP, Multiplier.PACKED, Multiplier.LUT)
    strategy: Annotated[tuple[ByName[Strategy], ...], BeforeValidator(as_tuple), Field(min_length=1), After(unique)] = (
        Strategy.RESOURCE,
    )
    weights_in: Annotated[
        tuple[ByName[WeightsIn], ...], BeforeValidator(as_tuple), Field(min_length=1), After(unique)
    ] = (WeightsIn.AUTO,)
    weight_bits: Annotated[tuple[Bits, ...], BeforeValidator(as_tuple), After(unique)] = ()
    accuracy_drop: Annotated[float, Field(ge=0, lt=1)] = 0.01
    cluster: Annotated[str, Field(pattern=r"^(local|slurm|htcondor|[a-z]+://.+)$")] = "local"
