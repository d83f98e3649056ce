"""The project: what to train, for which hardware, with which knobs; one file a table of `project.toml`.

In: a folder with `project.toml`, or a trained model file. Out: a frozen `Project`. Each table is a `Section` with its
keys, their types and defaults; `file` says what tables must agree on.
"""

from hlsflow.project.anomaly import TEXT, Anomaly
from hlsflow.project.data import FETCHED_SETS, FILES, TABLES, Data
from hlsflow.project.devices import Devices
from hlsflow.project.distil import Distil
from hlsflow.project.file import ProjectFile
from hlsflow.project.gate import Gate
from hlsflow.project.knobs import Knobs, LayerKnobs, PipelineKnobs, ResolvedKnobs
from hlsflow.project.model import Model
from hlsflow.project.project import Project, for_model, load, parse
from hlsflow.project.prune import Prune
from hlsflow.project.quantize import Quantize
from hlsflow.project.search import Choices, Objective, Range, Search
from hlsflow.project.section import Fraction, Precision, Scalar, Section, unique
from hlsflow.project.share import Share
from hlsflow.project.target import PARTS, Backend, Input, Target
from hlsflow.project.training import Training

__all__ = [
    "BUILDERS",
    "FETCHED_SETS",
    "FILES",
    "PARTS",
    "TABLES",
    "TEXT",
    "Anomaly",
    "Backend",
    "Choices",
    "Data",
    "Devices",
    "Distil",
    "Fraction",
    "Gate",
    "Input",
    "Knobs",
    "LayerKnobs",
    "Model",
    "Objective",
    "PipelineKnobs",
    "Precision",
    "Project",
    "ProjectFile",
    "Prune",
    "Quantize",
    "Range",
    "ResolvedKnobs",
    "Scalar",
    "Search",
    "Section",
    "Share",
    "Target",
    "Training",
    "for_model",
    "load",
    "parse",
    "unique",
]
