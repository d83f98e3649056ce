"""Table [anomaly]: detection of anomalies by an autoencoder."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator as After
from pydantic import BeforeValidator, Discriminator, Field, Tag

from hlsflow.project.errors import HIDDEN
from hlsflow.project.section import Section, as_tuple, unique

NUMBER, TEXT = f"{HIDDEN}number", f"{HIDDEN}text"
ClassName = Annotated[
    Annotated[int, Field(ge=0), Tag(NUMBER)] | Annotated[str, Tag(TEXT)],
    Discriminator(lambda value: TEXT if isinstance(value, str) else NUMBER),
]


class Anomaly(Section):
    """Anomaly detection: an autoencoder learns normal samples, and what it cannot repeat is an anomaly.

    Its functions in `model.py` return as many values as a sample has. Behind it the hardware sums the absolute errors
    of the reconstruction and compares the sum with a threshold; a trained model (model.file) does so already.

    Attributes:
        normal: classes of the data that are normal, by number or, of a table with texts, by name; all others are
            anomalies. Networks are trained, and thresholds chosen, by normal samples alone.
        quantile: share of the normal validation samples that the threshold lets pass.
    """

    normal: Annotated[tuple[ClassName, ...], BeforeValidator(as_tuple), Field(min_length=1), After(unique)] = (0,)
    quantile: Annotated[float, Field(gt=0, le=1)] = 0.95
