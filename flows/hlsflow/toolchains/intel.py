"""What the toolchains of Intel share.

In: nothing. Out: how their programs tell that there is no licence, and the knobs that make a design smaller.
"""

from __future__ import annotations

from hlsflow.core.errors import ToolMissing
from hlsflow.toolchains.verdict import Symptom

SMALLER = "make the design smaller: a higher reuse_factor, or strategy = 'resource'"
NO_LICENCE = Symptom(
    r"(?i)can't find valid feature line|failure to obtain a .*simulation licen[cs]e|"
    r"unable to check ?out (?:a )?licen[cs]e|current licen[cs]e file does not support",
    ToolMissing,
    "no licence: {0}",
    "set LM_LICENSE_FILE (SALT_LICENSE_SERVER for Questa) to your licence, or bound the runs at once with --licences",
)
"""Messages of Quartus and Questa."""
