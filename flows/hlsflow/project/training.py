"""Table [training]: how the networks of `model.py` are trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from hlsflow.project.errors import HIDDEN
from hlsflow.project.section import Positive, Section, Seed, as_tuple

Loss = Literal["cross_entropy", "focal", "hinge", "mse", "mae", "huber", "log_cosh"]

WORD, NUMBERS = f"{HIDDEN}word", f"{HIDDEN}numbers"
Weights = Annotated[tuple[Annotated[float, Field(ge=0)], ...], BeforeValidator(as_tuple), Field(min_length=2)]
ClassWeight = Annotated[
    Annotated[Literal["balanced"], Tag(WORD)] | Annotated[Weights, Tag(NUMBERS)],
    Discriminator(lambda value: WORD if isinstance(value, str) else NUMBERS),
]
"""How much the samples of each class count."""


class Training(Section):
    """How both models are trained, samples shuffled anew each epoch.

    Attributes:
        learning_rate: of the first epoch.
        loss: what is minimized; left out: `cross_entropy` of classes and labels (on logits, or on what a sigmoid at the
            end gives), `mse` of a regression and with [anomaly]. `flows.hlsflow.qat.objective` says which loss goes
            with which task.
        class_weight: how much samples of each class count, by class number; or `balanced`: in the inverse proportion of
            how often the class occurs among the training samples.
        schedule: `cosine` lets the rate fall to 0 over the epochs.
        patience: epochs without a better validation accuracy (with [anomaly]: loss) after which training stops;
            omitted: never.
        seed: of the initial weights and the shuffling.
    """

    LATER = frozenset({"loss", "class_weight"})

    epochs: Positive
    batch_size: Positive
    learning_rate: Annotated[float, Field(gt=0)]
    optimizer: Literal["adam", "nadam", "rmsprop", "sgd"] = "adam"
    schedule: Literal["constant", "cosine"] = "constant"
    patience: Positive | None = None
    seed: Seed = 0
    loss: Loss | None = None
    class_weight: ClassWeight | None = None
