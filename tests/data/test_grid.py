"""Samples on the input's grid: what leaves its range, what saturates, what is lost, and which type would do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hlsflow.core.errors import DataError
from hlsflow.data.data import real_samples
from hlsflow.data.grid import Saturation, natural_grid, on_grid, proposed_grid, saturation
from hlsflow.ir.fixed import Fixed, Overflow
from hlsflow.project import for_model

SAT = Fixed.parse("fixed<8,3,RND,SAT>")


def test_saturated_values_are_told_by_feature_and_a_type_is_proposed() -> None:
    """Steps of 1/32 up to 3.97: a quarter of the first feature and a half of the third one are beyond."""
    random = np.random.default_rng(0)
    real = random.uniform(-1, 1, (400, 3))
    real[:100, 0] = 7.25
    real[:200, 2] = -30
    found = saturation([real[:300], real[300:]], SAT)
    assert found is not None
    assert (found.values, found.saturated, found.precision) == (1200, 300, "fixed<8,3,RND,SAT>")
    assert found.features == {2: 0.5, 0: 0.25}
    assert list(found.features) == [2, 0]
    assert found.proposal == "fixed<8,6,RND,SAT>"
    kind = Fixed.parse(found.proposal)
    errors = [real - one.real(one.quantize(real)) for one in (SAT, kind)]
    wanted = [np.sqrt(np.mean(error**2)) for error in errors]
    assert (found.error, found.proposed_error) == pytest.approx(wanted)
    assert "300 of 1200 values (25.0%)" in str(found)
    assert "feature 2 50.0%, feature 0 25.0%" in str(found)
    assert Saturation.from_json(found.to_json()) == found


def test_a_type_that_would_round_away_more_is_made_wider_instead() -> None:
    """One value of many is far out: steps as large as it needs would cost all others more than it loses."""
    real = np.full((1000, 10), 0.03125)
    real[:20, 0] = 4.5
    found = saturation([real], SAT)
    assert found is not None
    assert found.proposal == "fixed<9,4,RND,SAT>"
    assert found.proposed_error == 0


def test_values_below_an_unsigned_type_get_a_sign() -> None:
    kind = Fixed.parse("ufixed<4,2,RND,SAT>")
    found = saturation([np.array([[-1.5, 1.0]] * 9 + [[0.25, 2.0]])], kind)
    assert found is not None
    assert found.features == {0: 0.9}
    proposed = Fixed.parse(found.proposal)
    assert proposed.signed
    assert found.proposed_error <= 0.25


@pytest.mark.parametrize("kind", [SAT, Fixed.parse("fixed<8,3>")])
def test_values_within_the_range_say_nothing(kind: Fixed) -> None:
    assert saturation([np.linspace(-4, 3.9, 50)[:, np.newaxis]], kind) is None


@pytest.mark.parametrize("size", [1e30, 1e300])
def test_huge_values_have_a_finite_error(size: float) -> None:
    found = saturation([np.array([[size], [1.0]])], SAT)
    assert found is not None
    assert np.isfinite([found.error, found.proposed_error]).all()


@pytest.mark.parametrize(
    ("real", "kind"),
    [
        (np.linspace(0.0, 0.001, 12).reshape(4, 3), "fixed<8,3>"),  # all 0
        (np.linspace(5.0, 9.0, 12).reshape(4, 3), "fixed<8,3,RND,SAT>"),  # all the largest value
        (np.array([[0.25, 3.0], [0.26, 3.01], [0.27, 3.02]]), "fixed<5,4>"),  # each feature one value
        (np.full((1, 3), 0.01), "fixed<8,3>"),  # a single sample, all 0
    ],
)
def test_samples_that_become_all_the_same_are_refused(real: np.ndarray, kind: str) -> None:
    with pytest.raises(DataError, match=r"are all the same as fixed.*whose steps are"):
        on_grid(real, Fixed.parse(kind), "x.npz")


@pytest.mark.parametrize("real", [np.zeros((4, 3)), np.full((4, 3), 0.7), np.zeros((0, 3)), np.eye(3) * 0.5])
def test_samples_that_were_the_same_before_are_not(real: np.ndarray) -> None:
    assert on_grid(real, Fixed.parse("fixed<8,3>"), "x.npz").shape == real.shape


def grid_of(folder: Path, x: np.ndarray) -> Fixed:
    np.savez(folder / "x.npz", x=x)
    (folder / "model.h5").write_bytes(b"any")
    project = for_model(folder / "model.h5", folder / "x.npz", "fixed<8,4>")
    return natural_grid(real_samples(project), "x.npz")


def test_large_whole_numbers_are_exact_or_refused(tmp_path: Path) -> None:
    """2^60 has one significant bit and 2^53 + 2 has 53; 2^53 + 1 has 54, and is 2^53 in float64."""
    assert str(grid_of(tmp_path, np.array([[2**60, 0], [2**61, 2**60]]))) == "ufixed<2,62>"
    for odd in (2**53 + 1, 2**60 + 1, 2**62 - 1, -(2**53) - 1):
        with pytest.raises(DataError, match=r"numbers of more than 53 bits, .* first in sample 1"):
            grid_of(tmp_path, np.array([[1, 2], [odd, 4]]))
    with pytest.raises(DataError, match="numbers of more than 53 bits"):
        grid_of(tmp_path, np.array([[2**64 - 1]], np.uint64))
    with pytest.raises(DataError, match="numbers of more than 53 bits"):
        grid_of(tmp_path, np.array([[1 + np.longdouble(2) ** -60]]))
    with pytest.raises(DataError, match="lie on no fixed-point grid"):
        grid_of(tmp_path, np.array([[2**53 + 2, 0]]))


def test_a_file_without_samples_is_told_once(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.zeros(3))
    (tmp_path / "model.h5").write_bytes(b"any")
    with pytest.raises(DataError, match="has no array x_test; it has: a") as error:
        real_samples(for_model(tmp_path / "model.h5", tmp_path / "x.npz", "fixed<8,4>"))
    assert "without a training x or x_test is enough" in str(error.value)


def test_samples_on_a_grid_are_held_exactly() -> None:
    proposal = proposed_grid(np.array([[0.5, -2.0], [1.25, 3.75]]))
    assert (str(proposal.kind), proposal.error, proposal.share) == ("fixed<5,3>", 0.0, 0.0)


def test_others_get_sixteen_steps_in_a_deviation_and_room_for_nearly_all() -> None:
    real = np.random.default_rng(0).normal(size=(5000, 4)) * [1.0, 1.0, 2.0, 0.52]
    proposal = proposed_grid(real)
    assert proposal.kind.frac == 5  # 16 steps in 0.52 are 2^-5
    assert 2.0**-(proposal.kind.frac) / np.sqrt(12) == pytest.approx(proposal.error, rel=0.05)
    assert proposal.share <= 1e-4
    narrower = Fixed(proposal.kind.width - 1, proposal.kind.integer - 1, overflow=Overflow.SAT)
    assert saturation([real], narrower).share > 1e-4  # a bit less would saturate more
    assert "RMS error" in str(proposal)


def test_the_type_of_samples_without_a_sign_has_none() -> None:
    assert not proposed_grid(np.random.default_rng(1).uniform(0, 3, (100, 2))).kind.signed


def test_no_grid_says_which_type_would_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"--input-precision auto, which takes .*RMS error"):
        grid_of(tmp_path, np.random.default_rng(0).normal(size=(50, 3)))
