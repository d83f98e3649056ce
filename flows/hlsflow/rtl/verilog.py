"""Pieces of Verilog text: streams of wires, instances, constants, names. Nothing here knows what a layer is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hlsflow.ir import Fixed

LITERAL_BITS = 4096
"""Longest number literal written: simulators limit them."""

Value = int | str


@dataclass(frozen=True)
class Stream:
    """Names of the wires that carry groups of values from one instance to the next, without back-pressure.

    Attributes:
        valid: a group is there in this cycle.
        last: it is the last group of its vector.
        data: the group; lane 0 in the least significant bits.
        lanes, type: of the group.
    """

    valid: str
    last: str
    data: str
    lanes: int
    type: Fixed

    @property
    def bits(self) -> int:
        return self.lanes * self.type.width

    def declare(self) -> str:
        return f"    wire {self.valid}, {self.last};\n    wire [{self.bits - 1}:0] {self.data};\n"


@dataclass(frozen=True)
class Channel:
    """Names of the wires that carry one beat (all channels of a pixel, or a whole vector) with valid and ready."""

    valid: str
    ready: str
    data: str
    bits: int

    @classmethod
    def named(cls, name: str, bits: int) -> Channel:
        return cls(f"{name}_valid", f"{name}_ready", f"{name}_data", bits)

    def declare(self) -> str:
        return f"    wire {self.valid}, {self.ready};\n    wire [{self.bits - 1}:0] {self.data};\n"

    def ports(self, prefix: str) -> dict[str, str]:
        """Connections of an instance whose ports are called `<prefix>_valid` and so on."""
        return {f"{prefix}_valid": self.valid, f"{prefix}_ready": self.ready, f"{prefix}_data": self.data}


def instance(module: str, name: str, parameters: Mapping[str, Value], ports: Mapping[str, str]) -> str:
    def pairs(items: Mapping[str, Value]) -> str:
        return ",\n".join(f"        .{key}({value})" for key, value in items.items())

    return f"    {module} #(\n{pairs(parameters)}\n    ) {name} (\n{pairs(ports)}\n    );\n"


def constant(words: Iterable[Iterable[int]], bits: int) -> str:
    """A concatenation of words, one a line, word 0 last (least significant); element 0 of a word lowest."""
    lines = [_word(list(word), bits) for word in words]
    return "{\n" + ",\n".join(f"            {line}" for line in reversed(lines)) + "}"


def _word(values: list[int], bits: int) -> str:
    per_literal = max(LITERAL_BITS // bits, 1)
    chunks = [values[start : start + per_literal] for start in range(0, len(values), per_literal)]
    return ", ".join(_literal(chunk, bits) for chunk in reversed(chunks))


def _literal(values: list[int], bits: int) -> str:
    packed = sum((value & ((1 << bits) - 1)) << (bits * index) for index, value in enumerate(values))
    return f"{bits * len(values)}'h{packed:x}"


def identifier(number: int | str, name: str) -> str:
    """A Verilog name for the `number`-th thing, called `name` by the user."""
    return f"s{number}_" + re.sub(r"\W", "_", name, flags=re.ASCII)


def prefixed(files: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The same files with `prefix` in front of their names, and of all modules that they are named after.

    Args:
        files: file name to text; each module lies in a file of its name.
        prefix: letters, digits and underscores; empty: nothing changes.
    """
    names = "|".join(sorted(name.removesuffix(".v") for name in files))
    instantiated = r"(?=\s+(?:#\(|\w+\s*\())"
    module = re.compile(rf"(?<=module )({names})\b|\b({names}){instantiated}")
    return {prefix + name: module.sub(lambda found: prefix + found[0], text) for name, text in files.items()}


def comment(text: str) -> str:
    """Text that cannot leave a one-line comment, in ASCII."""
    return re.sub(r"[^ -~]", "?", text.replace("×", "x")).replace("\\", "/")
