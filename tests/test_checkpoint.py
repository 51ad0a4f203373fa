"""Checkpoints: saved under one layout and continued under another, whole or absent; exports that others can load."""

import json
import os
import shutil

import numpy as np
import pytest
import torch
import torch.distributed as dist
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from realhf import export
from realhf.allocation import parse_layout
from realhf.checkpoint import complete, retire
from realhf.model import read_config
from tests.groups import run_ranks
from tests.parity import loss_tokens, make_model, make_sequences, weighted_loss
from tests.test_engine import make_engine, share


def _steps(engine, numbers) -> list[tuple[float, float]]:
    taken = []
    for number in numbers:
        sequences = make_sequences(number)
        metrics = engine.train_step(share(engine, sequences), weighted_loss, 1.0, loss_tokens(sequences))
        taken.append((metrics["loss"], metrics["grad_norm"], metrics["lr"]))
    return taken


def _save(device, path, layout, checkpoint):
    """Two steps, save, and two more before the save is waited for: it must hold the state of its own moment."""
    engine = make_engine(device, path, layout, optimizer={"schedule": "cosine"})
    _steps(engine, (0, 1))
    engine.save(checkpoint, {"version": 2, "words": ["a"]})
    following = _steps(engine, (2, 3))
    engine.wait_saved()
    assert os.path.isdir(checkpoint)
    return following


def _resume(device, path, layout, checkpoint):
    engine = make_engine(device, path, layout, optimizer={"schedule": "cosine"})
    _steps(engine, (9,))  # any state from before the load must be gone after it
    assert engine.load(checkpoint) == {"version": 2, "words": ["a"]}
    return _steps(engine, (2, 3))


@pytest.fixture(scope="module", params=["tied", "untied"])
def saved(request, tmp_path_factory):
    root = tmp_path_factory.mktemp(request.param)
    path = make_model(root / "model", "qwen2", tied=request.param == "tied")
    following = run_ranks(_save, 4, path, "d2t2", str(root / "step2"))[0]
    return path, str(root / "step2"), following


@pytest.mark.parametrize("layout", ["d1", "d2", "t2", "d4", "p2", "c2", "d2t2"])
def test_a_checkpoint_of_d2t2_continues_under_another_layout_with_the_same_next_losses(saved, layout):
    path, checkpoint, following = saved
    resumed = run_ranks(_resume, parse_layout(layout).world_size, path, layout, checkpoint)[0]
    np.testing.assert_allclose(resumed, following, rtol=1e-6)


def test_a_checkpoint_of_a_pipeline_continues_without_one(tmp_path):
    path = make_model(tmp_path / "model", "llama", tied=True)
    following = run_ranks(_save, 2, path, "p2", str(tmp_path / "step2"))[0]
    np.testing.assert_allclose(run_ranks(_resume, 1, path, "d1", str(tmp_path / "step2"))[0], following, rtol=1e-6)


def _save_twice(device, path, root):
    engine = make_engine(device, path)
    engine.save(f"{root}/step1", {"n": 1})
    engine.save(f"{root}/step1", {"n": 2})
    engine.wait_saved()
    assert engine.load(f"{root}/step1") == {"n": 2}
    os.mkdir(f"{root}/step3.partial")
    with pytest.raises(ValueError, match="is not a complete checkpoint"):
        engine.load(f"{root}/step3.partial")


def _load_damaged(device, path, layout, checkpoint):
    with pytest.raises(ValueError, match="is damaged: __3_0.distcp") as refused:
        make_engine(device, path, layout).load(checkpoint)
    return str(refused.value)


def test_a_checkpoint_with_a_changed_byte_in_its_numbers_is_refused_by_every_rank(saved, tmp_path):
    path, checkpoint, _ = saved
    copy = shutil.copytree(checkpoint, tmp_path / "copy")
    with open(copy / "__3_0.distcp", "r+b") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(end // 2)
        byte = file.read(1)
        file.seek(end // 2)
        file.write(bytes([byte[0] ^ 1]))
    said = run_ranks(_load_damaged, 2, path, "d2", str(copy))
    assert said[0] == said[1]


def test_a_name_can_be_saved_again_and_an_unfinished_one_is_not_a_checkpoint(tmp_path):
    path = make_model(tmp_path / "model", "qwen2", tied=True)
    run_ranks(_save_twice, 1, path, str(tmp_path / "checkpoints"))
    assert [p.name for p in complete(str(tmp_path / "checkpoints"))] == ["step1"]


def test_only_the_newest_finished_checkpoints_are_kept(tmp_path):
    for name in ("step0001", "step0002", "step0010", "step0011.partial"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "extra.json").write_text("{}")
    (tmp_path / "step0012").mkdir()  # nothing inside: not finished
    retire(str(tmp_path), 2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step0002", "step0010", "step0011.partial", "step0012"]
    with pytest.raises(ValueError, match="keep"):
        retire(str(tmp_path), 0)


def _export(device, path, layout, target):
    engine = make_engine(device, path, layout)
    _steps(engine, (0,))
    engine.export(target)
    names = [name for name, tensor in engine.full_tensors(torch.bfloat16) if (tensor is None) != (dist.get_rank() == 0)]
    asked = {t.device.type for _, t in engine.full_tensors(torch.bfloat16, torch.device("meta")) if t is not None}
    return engine.logprobs(make_sequences(5)), names, asked


@pytest.mark.parametrize(("layout", "family", "tied"), [("d2t2", "llama", False), ("p2d2", "qwen2", True)])
def test_an_export_loads_in_transformers_and_computes_the_same_logprobs(tmp_path, layout, family, tied):
    path = make_model(tmp_path / "model", family, tied)
    (tmp_path / "model" / "tokenizer.json").write_text('{"made": "up"}')
    found, names, asked = run_ranks(_export, 4, path, layout, str(tmp_path / "export"))[0]
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "export", dtype="auto")
    assert names == [name for name, _ in model.named_parameters()] and asked == {"meta"}       # every one on the device asked for
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    for sequence, logprobs in zip(make_sequences(5), found, strict=True):
        ids = torch.from_numpy(sequence.token_ids).long()
        with torch.no_grad():
            log_p = torch.log_softmax(model(ids[None]).logits[0], -1)
        np.testing.assert_allclose(logprobs[1:], log_p[:-1].gather(1, ids[1:, None])[:, 0], atol=1e-5)
    assert (tmp_path / "export" / "tokenizer.json").read_text() == '{"made": "up"}'
    assert (tmp_path / "export" / "config.json").read_bytes() == (tmp_path / "model" / "config.json").read_bytes()


def _load_and_export(device, path, target):
    engine = make_engine(device, path, "t2", compute_dtype="bfloat16")
    assert {p.dtype for p in engine.parameters.values()} == {torch.float32}
    engine.export(target)


def test_a_bf16_model_fills_fp32_masters_without_loss_and_is_exported_in_bf16(tmp_path):
    path = make_model(tmp_path / "model", "qwen2", tied=True)
    AutoModelForCausalLM.from_pretrained(path, dtype=torch.bfloat16).save_pretrained(tmp_path / "half")
    run_ranks(_load_and_export, 2, str(tmp_path / "half"), str(tmp_path / "export"))
    before, after = (load_file(tmp_path / name / "model.safetensors") for name in ("half", "export"))
    assert before.keys() == after.keys()
    for name, tensor in before.items():
        assert tensor.dtype == after[name].dtype == torch.bfloat16 and torch.equal(tensor, after[name]), name


def test_an_export_larger_than_one_file_gets_an_index_that_names_every_tensor(tmp_path, monkeypatch):
    path = make_model(tmp_path / "model", "qwen2", tied=True)
    original = AutoModelForCausalLM.from_pretrained(path)
    monkeypatch.setattr(export, "FILE_BYTES", 60_000)
    export.write_hugging_face(str(tmp_path / "export"), path, ((n, p.data) for n, p in original.named_parameters()))
    index = json.loads((tmp_path / "export" / "model.safetensors.index.json").read_text())
    files = sorted(set(index["weight_map"].values()))
    assert len(files) > 2 and files[0] == f"model-00001-of-{len(files):05d}.safetensors"
    for file in files:
        held = load_file(tmp_path / "export" / file)
        assert sum(t.nbytes for t in held.values()) <= 60_000 or len(held) == 1
        assert {name for name, where in index["weight_map"].items() if where == file} == held.keys()
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "export")
    for (name, a), (_, b) in zip(original.named_parameters(), again.named_parameters(), strict=True):
        assert torch.equal(a, b), name
    assert read_config(str(tmp_path / "export")).model_type == "qwen2"
