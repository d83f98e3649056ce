"""Table [training]: how the networks of `model.py` are trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hlsflow.project.section import Positive, Section, Seed


class Training(Section):
    """How both models are trained: softmax cross-entropy on the logits (with [anomaly] the squared error of the
    reconstruction), samples shuffled anew each epoch.

    Attributes:
        learning_rate: of the first epoch.
        schedule: `cosine` lets the rate fall to 0 over the epochs.
        patience: epochs without a better validation accuracy (with [anomaly]: loss) after which training stops;
            omitted: never.
        seed: of the initial weights and the shuffling.
    """

    epochs: Positive
    batch_size: Positive
    learning_rate: Annotated[float, Field(gt=0)]
    optimizer: Literal["adam", "nadam", "rmsprop", "sgd"] = "adam"
    schedule: Literal["constant", "cosine"] = "constant"
    patience: Positive | None = None
    seed: Seed = 0
