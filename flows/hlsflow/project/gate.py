"""Table [gate]: what is compared, and what may differ."""

from __future__ import annotations

from hlsflow.project.section import Positive, Section


class Gate(Section):
    """How many samples the RTL must reproduce to the last bit: the test set, cut, or topped up with random ones.

    Fewer than the default are for images of which a simulation would take hours; the report says how many there were.
    """

    vectors: Positive = 1000
