"""What named parts offer, so that a budget can be a part.

In: a part's name, as its vendor writes it. Out: its family, and how much of each resource it has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from hlsflow.core.choices import Family
from hlsflow.core.errors import ProjectError
from hlsflow.toolchains import nextpnr


@dataclass(frozen=True)
class Resources:
    """A part, in the units of `hlsflow.core.metrics.UNITS`: block RAMs count as 18 Kb."""

    family: Family
    lut: int
    ff: int
    dsp: int
    bram: int

    def budget(self, utilisation: float) -> dict[str, int]:
        """Metric → how much of it may be used at most, rounded down.

        Args:
            utilisation: share of the part, above 0 and at most 1.
        Raises:
            ProjectError: another share.
        """
        if not 0 < utilisation <= 1:
            raise ProjectError(f"{utilisation} of a part cannot be used", "write a share above 0 and up to 1")
        share = Fraction(str(utilisation))  # 0.7 as it is written, not as a float has it
        return {name: int(getattr(self, name) * share) for name in METRICS}


METRICS = ("lut", "ff", "dsp", "bram")
"""What a part offers, by the names of figures."""

XILINX: Mapping[str, Resources] = {
    "xc7s25": Resources(Family.XC7, 14_600, 29_200, 80, 90),
    "xc7s50": Resources(Family.XC7, 32_600, 65_200, 120, 150),
    "xc7a35t": Resources(Family.XC7, 20_800, 41_600, 90, 100),
    "xc7a50t": Resources(Family.XC7, 32_600, 65_200, 120, 150),
    "xc7a100t": Resources(Family.XC7, 63_400, 126_800, 240, 270),
    "xc7a200t": Resources(Family.XC7, 134_600, 269_200, 740, 730),
    "xc7k325t": Resources(Family.XC7, 203_800, 407_600, 840, 890),
    "xc7z007s": Resources(Family.XC7, 14_400, 28_800, 66, 100),
    "xc7z010": Resources(Family.XC7, 17_600, 35_200, 80, 120),
    "xc7z020": Resources(Family.XC7, 53_200, 106_400, 220, 280),
    "xczu3eg": Resources(Family.XCUP, 70_560, 141_120, 360, 432),
    "xczu9eg": Resources(Family.XCUP, 274_080, 548_160, 2_520, 1_824),
    "xcvu9p": Resources(Family.XCUP, 1_182_240, 2_364_480, 6_840, 4_320),
    "xcvu13p": Resources(Family.XCUP, 1_728_000, 3_456_000, 12_288, 5_376),
    "xcu250": Resources(Family.XCUP, 1_728_000, 3_456_000, 12_288, 5_376),
}
"""AMD DS180 (7 series overview), DS190 (Zynq-7000), DS891 (Zynq UltraScale+), DS890 (UltraScale+), DS962 (Alveo, the
whole die). The data sheets count block RAM in 36 Kb, two of which are meant by one here."""


def resources(part: str) -> Resources:
    """The resources of a part; what follows the die's name (package, speed grade) does not matter.

    Raises:
        ProjectError: the part is not known.
    """
    name = part.lower()
    if name.startswith("lfe5"):
        device = nextpnr.parse_part(part).device
        return Resources(Family.ECP5, device.lut, device.lut, device.dsp, device.bram)
    for die, of_die in XILINX.items():
        if re.match(rf"{die}(?:$|-|i?[a-z]{{3}}\d)", name):  # then comes the package, with or without a dash
            return of_die
    dies = ", ".join(XILINX)
    raise ProjectError(
        f"part '{part}' is not known", f"known: {dies}, and ECP5 such as LFE5U-45F-6BG381C; or use --max"
    )


def percent(part: str, name: str, used: float | None) -> float | None:
    """What a figure is of all that a part offers, in per cent; None where either is not known."""
    limit = offered(part).get(name)
    return round(100.0 * used / limit, 2) if limit and used is not None else None


def of_family(family: Family, *names: str | None) -> str | None:
    """The first of these parts that is known and of that family."""
    names_known = (name for name in names if name and offered(name))
    return next((name for name in names_known if resources(name).family is family), None)


def offered(part: str) -> dict[str, int]:
    """Metric → how much of it a part has; nothing for a part that is not known."""
    try:
        return resources(part).budget(1.0)
    except ProjectError:
        return {}
