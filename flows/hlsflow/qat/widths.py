"""Quantizers in a model's configuration that QKeras would compute for ever, or with more memory than there is.

In: the configuration as plain JSON. Out: what is wrong with the first such quantizer. Those of powers of two compute
2 to the power of 2**(bits - 1) in whole numbers, as soon as their layer is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hlsflow.ir.fixed import MAX_WIDTH

POWER_BITS = 8
"""Exponents of so many bits cover the range of float32, in which Keras computes."""

_IN_WORDS = re.compile(r"\b(\w*quantized_\w+)\(\s*(?:bits\s*=\s*)?(\d{1,20})")


def too_wide(config: Any) -> str:
    """A sentence about the first quantizer with more bits than any has; empty where there is none."""
    for name, bits in _widths(config):
        limit = POWER_BITS if "po2" in name else MAX_WIDTH
        if bits > limit:
            return f"{name} of {bits:g} bits, more than {limit}"
    return ""


def _widths(node: Any) -> Iterator[tuple[str, float]]:
    """Every quantizer of a configuration with its bits, as a table or in words."""
    if isinstance(node, str):
        yield from ((match[1], float(match[2])) for match in _IN_WORDS.finditer(node))
    elif isinstance(node, list):
        for item in node:
            yield from _widths(item)
    elif isinstance(node, dict):
        inner = node.get("config")
        bits = inner.get("bits") if isinstance(inner, dict) else None
        if isinstance(bits, int | float):
            yield str(node.get("class_name")), float(bits)
        for value in node.values():
            yield from _widths(value)
