"""Packing: nothing is lost or moved, budgets hold, and the published bars on long-tailed lengths."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realhf.balance import balance, sequence_cost
from realhf.packing import Sequence, first_fit_decreasing, microbatches, pack, unpack

LENGTHS = np.clip(np.random.default_rng(0).lognormal(7.5, 0.9, 8192), 64, 16384).astype(int)
"""Answers of a reasoning model: median 1,800 tokens, longest 16,384."""


def _sequence(*token_ids: int, first_weight: float = 0.0) -> Sequence:
    weights = first_weight + np.arange(len(token_ids), dtype=np.float32)
    return Sequence(np.array(token_ids, np.int32), {"weight": weights})


def test_a_row_predicts_the_next_token_of_its_own_sequence_with_that_tokens_fields():
    packed = pack([_sequence(5, 6, 7), _sequence(8, 9, first_weight=10.0), _sequence(4)], [1, 0, 2], length=8)
    assert packed.token_ids.tolist() == [8, 9, 5, 6, 7, 4, 0, 0]
    assert packed.positions.tolist() == [0, 1, 0, 1, 2, 0, 0, 1]
    assert packed.offsets == (0, 2, 5, 6, 8)
    assert packed.labels.tolist() == [9, 0, 6, 7, 0, 0, 0, 0]
    assert packed.fields["weight"].tolist() == [11, 0, 1, 2, 0, 0, 0, 0]
    assert packed.members == (1, 0, 2)


def test_unpacking_aligns_predictions_to_the_predicted_token():
    packed = pack([_sequence(5, 6, 7), _sequence(8, 9), _sequence(4)], [1, 0, 2], length=8)
    values = np.arange(10, 18, dtype=np.float32)
    assert [x.tolist() for x in unpack(packed, values)] == [[0, 10], [0, 12, 13], [0]]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(0, 5))
def test_unpacking_labels_gives_back_every_token_but_the_first(lengths, padding):
    draw = np.random.default_rng(sum(lengths))
    sequences = [Sequence(draw.integers(1, 100, n).astype(np.int32)) for n in lengths]
    packed = pack(sequences, list(range(len(lengths))), sum(lengths) + padding)
    for sequence, aligned in zip(sequences, unpack(packed, packed.labels.astype(np.float32)), strict=True):
        assert aligned.tolist() == [0, *sequence.token_ids[1:].tolist()]


def test_a_field_of_the_wrong_length_or_missing_is_refused_by_name():
    short = Sequence(np.arange(3, dtype=np.int32), {"mask": np.ones(2, np.float32)})
    with pytest.raises(ValueError, match='field "mask" of sequence 0'):
        pack([short], [0], 3)
    whole = Sequence(np.arange(2, dtype=np.int32), {"mask": np.ones(2, np.float32)})
    with pytest.raises(ValueError, match='field "mask" of sequence 1'):
        pack([whole, Sequence(np.arange(3, dtype=np.int32))], [0, 1], 5)


@given(st.lists(st.integers(1, 120), max_size=60), st.integers(1, 100))
def test_bins_hold_every_item_once_within_budget_or_one_item_that_is_longer(lengths, budget):
    bins = first_fit_decreasing(np.array(lengths, int), budget)
    assert sorted(i for members in bins for i in members) == list(range(len(lengths)))
    for members in bins:
        assert sum(lengths[i] for i in members) <= budget or len(members) == 1


def test_first_fit_decreasing_fills_the_textbook_example():
    bins = first_fit_decreasing(np.array([4, 8, 1, 4, 2, 1]), 10)
    assert bins == [[1, 4], [0, 3, 2, 5]]


def test_dummies_fill_up_to_the_agreed_count_and_lengths_are_what_every_rank_can_cut():
    sequences = [_sequence(*range(n)) for n in (5, 2, 3)]
    batches = microbatches(sequences, [[0], [1, 2]], multiple=4, count=4)
    assert [len(b.token_ids) for b in batches] == [8, 8, 4, 4]
    assert [b.members for b in batches] == [(0,), (1, 2), (), ()]
    equal = microbatches(sequences, [[0, 1, 2], [1]], multiple=4, count=3, equal=True)
    assert [len(b.token_ids) for b in equal] == [12, 12, 12]


def test_cost_doubles_per_token_where_attention_costs_as_much_as_the_rest():
    assert sequence_cost(np.array([0, 1000, 2000]), quadratic_at=1000.0).tolist() == [0, 2000, 6000]


def test_padding_waste_on_8192_long_tailed_lengths_is_at_most_two_percent():
    bins = first_fit_decreasing(LENGTHS, 16384)
    assert 1 - LENGTHS.sum() / (len(bins) * 16384) <= 0.02


@pytest.mark.parametrize("ranks", [8, 64])
def test_data_parallel_imbalance_on_8192_long_tailed_lengths_is_at_most_three_percent(ranks):
    costs = sequence_cost(LENGTHS, quadratic_at=12 * 1536)
    shares = balance(costs, ranks)
    assert sorted(i for share in shares for i in share) == list(range(8192))
    loads = [costs[share].sum() for share in shares]
    assert max(loads) / np.mean(loads) - 1 <= 0.03


def test_packing_8192_lengths_takes_at_most_50_ms():
    def once() -> float:
        start = time.perf_counter()
        first_fit_decreasing(LENGTHS, 16384)
        return time.perf_counter() - start

    assert min(once() for _ in range(5)) <= 0.05
