"""Advantages and losses against loops written from the formulas, one token at a time."""
import math

import numpy as np
import pytest
import torch

from areal_lite.algorithms import advantages as adv
from areal_lite.algorithms.gap import summary
from areal_lite.algorithms.losses import PolicyLoss, behaviour_weights, k3, mean_ratio_veto, policy_loss, sft_loss


def gae(rewards, gamma=1.0, lam=1.0):
    """Generalised advantage estimation with all values zero, as published."""
    out, last = [0.0] * len(rewards), 0.0
    for t in reversed(range(len(rewards))):
        last = rewards[t] + gamma * lam * last
        out[t] = last
    return out


def test_reward_to_go_is_gae_with_no_critic():
    rng = np.random.default_rng(0)
    penalties = rng.normal(size=9)
    rewards = list(-penalties)
    rewards[-1] += 5.0
    np.testing.assert_allclose(adv.reward_to_go(5.0, penalties), gae(rewards), rtol=0, atol=1e-12)


def test_an_answer_without_tokens_has_no_advantages():
    assert adv.reward_to_go(5.0, np.zeros(0)).shape == (0,)


def test_kl_penalties_are_the_k1_estimate():
    got = adv.kl_penalties(np.array([-1.0, -2.0], np.float32), np.array([-1.5, -1.0], np.float32), 0.1)
    np.testing.assert_allclose(got, [0.05, -0.1], atol=1e-7)


def test_grpo_scales_by_the_unbiased_deviation():
    group = np.array([1, 0, 0, 1, 1, 0, 0, 0], np.float32)
    mean = 3 / 8
    std = math.sqrt(sum((x - mean) ** 2 for x in group.tolist()) / 7)
    assert adv.centre_in_group(1.0, group, True) == pytest.approx((1 - mean) / (std + 1e-6), rel=1e-12)
    assert adv.centre_in_group(1.0, group, False) == pytest.approx(1 - mean)
    assert adv.centre_in_group(1.0, np.ones(4, np.float32), True) == 0.0


def test_global_normalisation_is_over_all_tokens_of_all_ranks():
    rng = np.random.default_rng(1)
    ranks = [[rng.normal(3, 2, n) for n in (4, 1, 7)], [rng.normal(-1, 5, n) for n in (2, 30)]]
    total = sum(adv.moments(r) for r in ranks)
    every = [x for r in ranks for a in r for x in a]
    mean = sum(every) / len(every)
    std = math.sqrt(sum((x - mean) ** 2 for x in every) / len(every))
    for r in ranks:
        for got, a in zip(adv.normalise(r, total), r, strict=True):
            np.testing.assert_allclose(got, [(x - mean) / (std + 1e-5) for x in a], rtol=1e-9)


def test_equal_advantages_normalise_to_zero():
    (got,) = adv.normalise([np.full(5, -5.0)], adv.moments([np.full(5, -5.0)]))
    np.testing.assert_array_equal(got, np.zeros(5))


def batch(n=40, seed=0):
    g = torch.Generator().manual_seed(seed)
    r = lambda scale=1.0: torch.randn(n, generator=g) * scale                          # noqa: E731
    current = -r().abs()
    fields = {"mask": (torch.rand(n, generator=g) < 0.7).float(), "advantages": r(), "behaviour": current + r(0.5),
              "proximal": current + r(0.3), "reference": current + r(0.4), "staleness": torch.arange(n) % 11.0}
    return current.requires_grad_(), r().abs(), fields


def naive_loss(s, current, entropy, f):
    """The published formulas, a token at a time, in Python floats."""
    total, clipped, masked, current = 0.0, 0, 0, current.detach()
    for t in range(len(current)):
        if not f["mask"][t]:
            continue
        a, b = float(f["advantages"][t]), float(f["behaviour"][t])
        p = b if s.objective == "naive" else float(f["proximal"][t])
        ratio = math.exp(float(current[t]) - p)
        bounded = min(max(ratio, 1 - s.clip_low), 1 + s.clip_high)
        surrogate = min(ratio * a, bounded * a)
        clipped += bounded * a < ratio * a
        w = 1.0
        if s.objective == "decoupled" and s.behaviour_weight != "none":
            w = math.exp(p - b)
            if s.behaviour_weight == "token_truncate":
                w = min(w, s.behaviour_weight_cap)
            elif w > s.behaviour_weight_cap:
                w, masked = 0.0, masked + 1
        d = float(f["reference"][t]) - float(current[t])
        total += -w * surrogate + s.kl_loss * (math.exp(d) - d - 1) - s.entropy_bonus * float(entropy[t])
    return total, clipped, masked


@pytest.mark.parametrize("settings", [
    PolicyLoss("naive", behaviour_weight="none"),
    PolicyLoss("decoupled"),
    PolicyLoss("decoupled", behaviour_weight="none"),
    PolicyLoss("decoupled", behaviour_weight="token_truncate", behaviour_weight_cap=1.1),
    PolicyLoss("decoupled", behaviour_weight="token_mask", behaviour_weight_cap=1.1),
    PolicyLoss("naive", clip_low=0.1, clip_high=0.28, behaviour_weight="none", kl_loss=0.01, entropy_bonus=0.001),
], ids=str)
def test_the_loss_equals_the_formula_token_by_token(settings):
    current, entropy, fields = batch()
    got, sums = policy_loss(settings, current, entropy, fields)
    want, clipped, masked = naive_loss(settings, current, entropy, fields)
    assert got.item() == pytest.approx(want, rel=1e-5)
    assert sums["clip_fraction"].item() == clipped and sums["behaviour_masked"].item() == masked
    assert sums["entropy"].item() == pytest.approx(float((entropy * fields["mask"]).sum()), rel=1e-6)


def test_the_gradient_of_the_decoupled_loss_stops_at_the_weight():
    current, entropy, fields = batch()
    loss, _ = policy_loss(PolicyLoss("decoupled"), current, entropy, fields)
    loss.backward()
    ratio = torch.exp(current.detach() - fields["proximal"])
    weight = torch.exp(fields["proximal"] - fields["behaviour"]).clamp(max=5.0)
    a = fields["advantages"]
    active = ~(((a > 0) & (ratio > 1.2)) | ((a < 0) & (ratio < 0.8)))
    torch.testing.assert_close(current.grad, -weight * a * ratio * active * fields["mask"])


def test_without_a_proximal_field_the_current_policy_is_the_proximal_one():
    current, entropy, fields = batch()
    with_it = dict(fields, proximal=current.detach())
    without = {k: v for k, v in fields.items() if k != "proximal"}
    for settings in (PolicyLoss("decoupled"), PolicyLoss("decoupled", behaviour_weight="none")):
        a, b = (policy_loss(settings, current, entropy, f)[0] for f in (with_it, without))
        assert a.item() == b.item()


@pytest.mark.parametrize("kind", ["sequence_truncate", "sequence_mask"])
def test_sequence_weights_are_the_product_of_the_token_ratios(kind):
    for cap in (0.5, 50.0):
        p, b = torch.tensor([-1.0, -2.0, -0.5]), torch.tensor([-1.2, -1.5, -0.9])
        mask = torch.tensor([1.0, 1.0, 0.0])
        product = math.exp(0.2) * math.exp(-0.5)
        want = min(product, cap) if kind.endswith("truncate") else (product if product <= cap else 0.0)
        got = behaviour_weights(PolicyLoss(behaviour_weight=kind, behaviour_weight_cap=cap), p, b, mask)
        torch.testing.assert_close(got, torch.full((3,), want))


def test_k3_is_clamped_and_never_infinite():
    x = k3(torch.tensor([-80.0, 0.0, 0.0]), torch.tensor([0.0, 0.0, -80.0]))
    assert x.tolist() == [10.0, 0.0, 10.0]


def test_on_policy_data_gives_ratio_one_and_no_gap():
    current, entropy, fields = batch()
    fields = dict(fields, behaviour=current.detach(), proximal=current.detach())
    _, sums = policy_loss(PolicyLoss(), current, entropy, fields)
    n = fields["mask"].sum().item()
    assert sums["mean_ratio"].item() == n == sums["behaviour_weight"].item()
    assert sums["kl_behaviour"].item() == sums["logprob_gap"].item() == sums["clip_fraction"].item() == 0


def test_the_gap_by_staleness_is_what_a_loop_over_the_tokens_counts():
    current, entropy, f = batch(400)
    _, sums = policy_loss(PolicyLoss("decoupled", behaviour_weight="token_mask", behaviour_weight_cap=1.1), current, entropy, f)
    got = summary({name: float(x) for name, x in sums.items()})
    rows = {}
    for t in range(400):
        if f["mask"][t]:
            b = float(f["behaviour"][t])
            d = float(current[t].detach()) - b
            masked = math.exp(float(f["proximal"][t]) - b) > 1.1
            rows.setdefault(min(int(f["staleness"][t]), 8), []).append((abs(d), math.exp(-d) + d - 1, masked))
    assert sorted(rows) == list(range(9))
    for s, level in rows.items():
        want = np.mean(level, axis=0)
        mine = [got[f"{name}_staleness_{s}"] for name in ("gap", "kl", "masked")]
        np.testing.assert_allclose(mine, want, rtol=2e-5)
    every = sorted(d for level in rows.values() for d, _, _ in level)
    for q in (50, 90, 99):
        exact = every[math.ceil(q / 100 * len(every)) - 1]
        assert exact <= got[f"ratio_p{q}"] < exact * 10 ** 0.25


def test_a_mean_ratio_above_the_limit_vetoes_the_minibatch():
    veto = mean_ratio_veto(5.0, 10)
    assert veto({"mean_ratio": 51.0}) and not veto({"mean_ratio": 49.0}) and mean_ratio_veto(0, 10) is None


def test_sft_loss_counts_only_response_tokens():
    lp = torch.tensor([-1.0, -2.0, -4.0], requires_grad=True)
    loss, sums = sft_loss(lp, torch.ones(3), {"mask": torch.tensor([0.0, 1.0, 1.0])})
    assert loss.item() == 6.0 and sums["entropy"].item() == 2.0
