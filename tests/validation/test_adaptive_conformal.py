"""Widths that follow recent errors."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from amalthea.validation.adaptive_conformal import conformal, follow


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([0.5, 0.8, 0.9]), st.floats(0.2, 5.0))
def test_they_cover_what_they_promise_though_errors_grow(seed: int, level: float, growth: float) -> None:
    random = np.random.default_rng(seed)
    sizes = np.exp(np.linspace(0, np.log(growth), 600))
    errors = np.abs(random.normal(size=(600, 1, 12))) * sizes[:, None, None]
    widths, _ = follow(errors, np.arange(600) * 12, np.array([12]), level)
    there = np.isfinite(widths[:, 0])
    assert abs((errors[there] <= widths[there][:, :, None]).mean() - level) < 0.04


def test_no_width_is_given_before_its_errors_are_known() -> None:
    errors = np.ones((40, 2, 4))
    widths, last = follow(errors, np.arange(40), np.array([4, 8]), 0.9)
    assert np.isfinite(widths).argmax(axis=0).tolist() == [13, 17]
    assert np.isfinite(last).all()


def test_a_width_hangs_on_what_was_known_alone() -> None:
    random = np.random.default_rng(0)
    errors = np.abs(random.normal(size=(60, 1, 4)))
    later = errors.copy()
    later[30:] *= 10
    before, after = (follow(each, np.arange(60), np.array([4]), 0.9)[0] for each in (errors, later))
    np.testing.assert_array_equal(before[:34], after[:34])
    assert (after[40:] > before[40:]).all()


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_a_conformal_quantile_grows_with_the_level(errors: list[float]) -> None:
    quantiles = [conformal(np.array(errors), level) for level in (0.1, 0.5, 0.9)]
    assert quantiles == sorted(quantiles)


def test_few_errors_make_wide_intervals() -> None:
    errors = np.abs(np.random.default_rng(0).normal(size=(400, 1, 24)))
    apart, together = (follow(errors, np.arange(400) * step, np.array([24]), 0.9)[0] for step in (24, 1))
    first = [float(widths[np.isfinite(widths)][0]) for widths in (together, apart)]
    assert first[0] > 1.2 * first[1]
