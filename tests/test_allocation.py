"""Allocation strings: every published one is read, and every refusal names the number and a choice that works."""

import pytest

from realhf.allocation import Allocation, Layout, check_cluster, check_model, parse, parse_layout

QWEN_7B = {"heads": 28, "kv_heads": 4, "intermediate": 18944, "vocab": 152064, "layers": 28}


@pytest.mark.parametrize(
    ("text", "generation", "training", "nodes"),
    [
        ("vllm.d64p1m1+d32p2m1", Layout(d=64), Layout(d=32, p=2), 16),
        ("vllm.d16p1m1+d8p2m1", Layout(d=16), Layout(d=8, p=2), 4),
        ("vllm.d16p1m4+d32p2m1", Layout(d=16, t=4), Layout(d=32, p=2), 16),
        ("vllm.d4p1m4+d8p2m1", Layout(d=4, t=4), Layout(d=8, p=2), 4),
    ],
)
def test_published_strings_are_read_and_fill_their_cluster(text, generation, training, nodes):
    allocation = parse(text)
    assert allocation == Allocation(generation, training)
    assert str(allocation) == text
    check_cluster(allocation, nodes, 8)


def test_named_dims_may_come_in_any_order_and_m_means_t():
    assert parse("vllm.t4d2+p2c2t2r2d3") == Allocation(Layout(d=2, t=4), Layout(d=3, r=2, t=2, c=2, p=2))
    assert parse_layout("m2") == parse_layout("t2") == Layout(t=2)
    assert parse_layout("d3r2t2c2p2").world_size == 48


def test_the_colocated_string_names_the_decoupled_one_to_use():
    with pytest.raises(ValueError, match=r'the same 8 GPUs.*"vllm\.d2p1m2\+d2p2m1"'):
        parse("actor_gen:d4p1m2,*:d4p2m1")
    check_cluster(parse("vllm.d2p1m2+d2p2m1"), 1, 8)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("d2t2", 'must start with "vllm."'),
        ("sglang.d2+d2", 'must start with "vllm."'),
        ("vllm.d2", "has 1 sides"),
        ("vllm.d2+d2+d2", "has 3 sides"),
        ("vllm.d2+", "one side is empty"),
        ("vllm.d2x3+d2", '"x3" names no dim'),
        ("vllm.d2t2m4+d1", "t is given twice, as 2 and as 4"),
        ("vllm.d0+d1", "d0 must be at least d1"),
        ("vllm.d2-t2+d1", 'cannot read "-t2"'),
        ("vllm.d2c4+d1", "c4 means nothing for generation"),
    ],
)
def test_a_malformed_string_is_refused_by_its_wrong_part(text, message):
    with pytest.raises(ValueError) as refusal:
        parse(text)
    assert message in str(refusal.value)


def test_a_wrong_gpu_count_is_refused_with_the_nearest_string_that_fills_the_cluster():
    with pytest.raises(ValueError) as refusal:
        check_cluster(parse("vllm.d64p1m1+d32p2m1"), 8, 8)
    assert "takes 128 GPUs (64 to generate, 64 to train), but 8 node(s) x 8 are 64" in str(refusal.value)
    assert 'nearest: "vllm.d32p1m1+d16p2m1"' in str(refusal.value)
    check_cluster(parse("vllm.d32p1m1+d16p2m1"), 8, 8)


def test_a_smaller_node_is_proposed_where_it_would_fit_and_one_gpu_is_too_few():
    for text, nodes, end in (("vllm.d1+d1", 1, 'nearest: "vllm.d4p1m1+d4p1m1", or cluster.gpus_per_node=2 when a node has (or should '
                                               "use) so many"),
                             ("vllm.d1+d1", 2, 'nearest: "vllm.d8p1m1+d8p1m1"'), ("vllm.d1t2+d1", 1, 'nearest: "vllm.d3p1m2+d2p1m1"')):
        with pytest.raises(ValueError) as refusal:
            check_cluster(parse(text), nodes, 8)
        assert str(refusal.value).endswith(end)
    check_cluster(parse("vllm.d1+d1"), 1, 2)
    with pytest.raises(ValueError) as refusal:
        check_cluster(parse("vllm.d1+d1"), 1, 1)
    assert str(refusal.value) == "generation and training take at least one GPU each; one GPU alone cannot run this"


def test_a_cluster_that_no_d_fills_says_so():
    with pytest.raises(ValueError, match="lower t, c, r or p"):
        check_cluster(parse("vllm.d1t4+d1t4c4"), 1, 8)


def test_a_server_or_tensor_group_across_nodes_is_refused():
    with pytest.raises(ValueError, match="t x p of one server is 3, which does not divide the 8 GPUs.*nearest: 2"):
        check_cluster(parse("vllm.d4t3+d4"), 2, 8)
    with pytest.raises(ValueError, match="t of the trainer is 16, .* nearest: 8"):
        check_cluster(parse("vllm.d16+d1t16"), 4, 8)


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ("t3", "t (m) is 3, which does not divide the model's attention heads (28); nearest: 2"),
        ("t7", "key-value heads (4); nearest: 4"),
        ("c3", "c is 3, which does not divide the 28 attention heads a tensor-parallel rank holds (28 / t1)"),
        ("c3", "nearest: 2"),
        ("c7", "c is 7, which neither divides nor is a multiple of the 4 key-value heads"),
        ("p29", "p is 29, but the model has only 28 layers; nearest: 28"),
    ],
)
def test_a_layout_that_cannot_cut_the_model_is_refused_with_the_nearest_size(layout, message):
    with pytest.raises(ValueError) as refusal:
        check_model(parse_layout(layout), **QWEN_7B)
    assert message in str(refusal.value)


@pytest.mark.parametrize("layout", ["d8t4", "t2c2", "t4c7", "p28", "c4"])
def test_a_layout_that_can_cut_the_model_is_accepted(layout):
    check_model(parse_layout(layout), **QWEN_7B)


def test_ranks_of_a_tensor_context_or_pipeline_group_share_their_data():
    layout = parse_layout("d2r2t2c2p2")
    shares = [layout.data_parallel_rank(rank) for rank in range(layout.world_size)]
    assert shares == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3] * 2
    assert [layout.stage(rank) for rank in range(layout.world_size)] == [0] * 16 + [1] * 16
    assert layout.data_parallel == 4
