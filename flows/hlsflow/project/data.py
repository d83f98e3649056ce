"""Table [data]: where the samples come from and how they are prepared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator as After
from pydantic import BeforeValidator, Field, model_validator

from hlsflow.project.section import Fraction, Precision, Section, Seed, as_tuple, unique

NamedSet = Literal["digits", "digits_fusion", "mnist", "cifar10", "jets", "synthetic_jets"]
"""Data sets that need no file from the user."""
TABLES = frozenset({".csv", ".parquet"})
FILES = TABLES | {".npz"}
"""Endings of files with samples."""
WHOLE_SETS = frozenset({"digits", "digits_fusion", "jets", "synthetic_jets"})
"""Those in one piece."""
FETCHED_SETS = frozenset({"jets"})
"""Those that hlsflow downloads into its own cache."""
KERAS_SETS = frozenset({"mnist", "cifar10"})
"""Those that Keras loads, with a test set of their own."""


class Data(Section):
    """Where the samples come from. The real input of the network is `(raw - offset) * scale`, standardized if so asked.

    Attributes:
        source: a named set, or the path of an `.npz`, `.csv` or `.parquet` file, relative to the project's folder;
            `hlsflow.data.data` and `hlsflow.data.columns` say what they hold. Named sets: `digits`
            (scikit-learn's), `digits_fusion` (two views of each of these images, for a network of two inputs), `mnist`
            and `cifar10` (Keras' own, which it downloads once and then keeps), `jets` (LHC jets of OpenML, downloaded
            once and kept), and `synthetic_jets`, random numbers in their shape.
        sample_weight: column of a table, or array of an `.npz` (`w` beside `x`, `w_train` and `w_val` beside `x_train`
            and `x_val` where it is called `w`), that says how much each sample counts in training; figures count all
            samples alike.
        unit: of numbers to estimate, for the figures of their errors, such as GeV.
        targets: columns of a table that together are what is right, where that is several numbers or labels.
        label: column of the class in a table (`.csv`, `.parquet`); omitted: `y`, `label` or `class`. In an `.npz` file
            the array that takes the place of `y`, or of `y_train`, `y_val`, `y_test` with those endings.
        features: columns of a table that enter the network, in that order; omitted: all but the class. In an `.npz`
            file the one array that takes the place of `x`, as above.
        fallback: the named set that stands in where the file `source` does not exist, or `jets` cannot be had.
        validation: fraction of the training samples kept for validation; not with a source that has `x_val`.
        test: fraction of all samples kept for the test; not with a source that has `x_test`. A trained model is judged
            by these alone too.
        seed: of the stratified split.
        standardize: bring each feature to mean 0 and standard deviation 1, as the samples outside the test set have
            it; of a trained model whose samples are all judged, as these have it. Or the path of a file, such as the
            table that the network was trained on: as its samples have it, columns found by their names.
        normalize: do nearly the same within the network, so that raw values enter the hardware: take away the mean of
            the training samples and shift by a power of two; the type of the result, such as fixed<8,3>.
        flip: mirror training images left to right, each with probability 1/2, anew in every epoch.
        shift: move training images by up to so many pixels along each axis, anew in every epoch; zeros move in.
    """

    LATER = frozenset({"sample_weight", "unit", "targets"})

    source: Annotated[
        str, Field(pattern=r"^(digits|digits_fusion|mnist|cifar10|jets|synthetic_jets|.+\.(npz|csv|parquet))$")
    ]
    label: str | None = None
    features: Annotated[tuple[str, ...], BeforeValidator(as_tuple), After(unique)] = ()
    fallback: NamedSet | None = None
    validation: Fraction | None = None
    test: Fraction | None = None
    seed: Seed = 0
    offset: float = 0.0
    scale: Annotated[float, Field(gt=0)] = 1.0
    standardize: bool | str = False
    normalize: Precision | None = None
    flip: bool = False
    shift: Annotated[int, Field(ge=0, lt=2**16)] = 0
    sample_weight: str | None = None
    unit: Annotated[str, Field(min_length=1)] | None = None
    targets: Annotated[tuple[str, ...], BeforeValidator(as_tuple), After(unique)] = ()

    @model_validator(mode="after")
    def _split_given(self) -> Self:
        names = {self.source, self.fallback or self.source}
        for name in sorted(names & WHOLE_SETS):
            if self.validation is None or self.test is None:
                raise ValueError(
                    f"source '{name}' comes in one piece: give both validation and test, such as 0.1 and 0.2"
                )
        if names & KERAS_SETS and (self.validation is None or self.test is not None):
            raise ValueError("mnist and cifar10 come with a test set: give validation, such as 0.1, and no test")
        return self

    @model_validator(mode="after")
    def _standardized_by_samples(self) -> Self:
        own = self.standardize
        if isinstance(own, str) and Path(own).suffix not in FILES:
            raise ValueError(f"standardize is '{own}': give true, or a file of samples ({', '.join(sorted(FILES))})")
        return self

    @model_validator(mode="after")
    def _normalized_once(self) -> Self:
        if self.normalize is None:
            return self
        if self.standardize or self.scale != 1 or self.offset:
            raise ValueError("normalize takes raw values: remove standardize, scale and offset")
        if not self.normalize.signed or self.normalize.integer < 1 or self.normalize.frac < 0:
            raise ValueError(f"normalize is {self.normalize}; it needs a signed type such as fixed<8,3>")
        return self

    @model_validator(mode="after")
    def _fallback_for_what_may_be_missing(self) -> Self:
        may_be_missing = Path(self.source).suffix in FILES or self.source in FETCHED_SETS
        if self.fallback is not None and (not may_be_missing or self.fallback == self.source):
            raise ValueError(
                f"fallback '{self.fallback}' stands in for a missing file, or jets that cannot be downloaded, not for "
                f"source '{self.source}': remove it"
            )
        if self.label and self.targets:
            raise ValueError("label is one column and targets are several: give one of them")
        suffix = Path(self.source).suffix
        arrays = suffix == ".npz" and len(self.features) < 2 and not self.targets
        if (self.label or self.features or self.targets) and suffix not in TABLES and not arrays:
            reason = f"not of '{self.source}'"
            raise ValueError(
                f"label, targets and features are columns of .csv and .parquet files, {reason}; of an .npz file, label "
                "and features name one array each"
            )
        return self
