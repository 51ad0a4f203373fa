"""Learning-rate schedules, number by number."""

import pytest

from realhf.config import Optimizer
from realhf.optimizer import learning_rate


def _rates(steps: int, total: int, **settings) -> list[float]:
    return [learning_rate(Optimizer(lr=1.0, **settings), step, total) for step in range(steps)]


def test_warmup_rises_linearly_from_zero_and_reaches_the_peak_with_its_last_step():
    assert _rates(6, 100, warmup_fraction=0.04) == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_no_warmup_starts_at_the_peak():
    assert _rates(2, 100, warmup_fraction=0.0) == [1.0, 1.0]


def test_linear_falls_to_the_smallest_rate_and_stays_there():
    rates = _rates(6, 4, warmup_fraction=0.0, schedule="linear", min_lr_ratio=0.2)
    assert rates == pytest.approx([1.0, 0.8, 0.6, 0.4, 0.2, 0.2])


def test_cosine_is_half_way_in_the_middle_and_ends_at_the_smallest_rate():
    rates = _rates(9, 8, warmup_fraction=0.0, schedule="cosine", min_lr_ratio=0.1)
    assert rates[0] == 1.0 and rates[4] == pytest.approx(0.55) and rates[8] == pytest.approx(0.1)
    assert rates[2] == pytest.approx(0.1 + 0.9 * (1 + 2**-0.5) / 2)


def test_the_published_recipe_warms_up_two_percent_of_437_steps():
    rates = _rates(10, 437, warmup_fraction=0.02)
    assert rates[:9] == pytest.approx([(i + 1) / 9 for i in range(9)]) and rates[9] == 1.0
