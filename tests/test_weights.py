"""Published weights: what is written is what is read, and nothing damaged, partial or different is accepted."""
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from areal_lite import weights

TENSORS = [("a.weight", (3, 5)), ("b.bias", (7,)), ("c.weight", (2, 2))]


def tensors(seed=0):
    source = np.random.default_rng(seed)
    return [(name, "float32", shape, source.standard_normal(shape, dtype=np.float32)) for name, shape in TENSORS]


def published(tmp_path, version=3, given=None):
    given = given or tensors()
    path, checksum = weights.publish(tmp_path, version, given, [1, 2], [0.0, -1.5])
    return path, checksum, weights.read_manifest(path)


def test_the_flat_file_holds_every_tensor_at_its_aligned_offset(tmp_path):
    given = tensors()
    path, checksum, manifest = published(tmp_path, given=given)
    flat = np.fromfile(f"{path}/weights.bin", np.uint8)
    assert len(flat) == manifest.nbytes and manifest.probe_ids == (1, 2) and manifest.probe_logprobs == (0.0, -1.5)
    for (name, _, shape, array), e in zip(given, manifest.entries, strict=True):
        assert (e.name, e.shape, e.offset % 64) == (name, shape, 0)
        assert (flat[e.offset:e.offset + e.nbytes].view(np.float32).reshape(shape) == array).all()
    weights.verify(path, manifest, checksum)


def test_one_flipped_bit_is_refused(tmp_path):
    path, checksum, manifest = published(tmp_path)
    raw = bytearray(Path(path, "weights.bin").read_bytes())
    raw[17] ^= 1
    Path(path, "weights.bin").write_bytes(raw)
    with pytest.raises(weights.WeightsError, match="damaged"):
        weights.verify(path, manifest, checksum)


def test_a_truncated_file_is_refused(tmp_path):
    path, checksum, manifest = published(tmp_path)
    raw = Path(path, "weights.bin").read_bytes()
    Path(path, "weights.bin").write_bytes(raw[:-64])
    with pytest.raises(weights.WeightsError, match="manifest says"):
        weights.verify(path, manifest, checksum)


def test_a_manifest_of_another_update_is_refused(tmp_path):
    path, _, manifest = published(tmp_path)
    with pytest.raises(weights.WeightsError, match="is not the update's"):
        weights.verify(path, manifest, "0" * 32)


def test_an_entry_beyond_the_file_is_refused(tmp_path):
    path, _, _ = published(tmp_path)
    text = Path(path, "manifest.json").read_text().replace('"shape": [3, 5]', '"shape": [3000, 5]')
    Path(path, "manifest.json").write_text(text)
    with pytest.raises(weights.WeightsError, match="does not fit"):
        weights.read_manifest(path)


def test_a_missing_manifest_is_refused(tmp_path):
    with pytest.raises(weights.WeightsError, match="not a readable"):
        weights.read_manifest(tmp_path)


def test_half_of_the_tensors_or_other_shapes_differ_from_the_first_version(tmp_path):
    _, _, first = published(tmp_path)
    _, _, half = published(tmp_path, 4, tensors()[:2])
    weights.check_same_shape(first, dataclasses.replace(first, version=9))
    with pytest.raises(weights.WeightsError, match="c.weight"):
        weights.check_same_shape(first, half)


def test_a_buffer_of_the_wrong_size_is_refused_before_anything_is_published(tmp_path):
    with pytest.raises(weights.WeightsError, match="a.weight"):
        weights.publish(tmp_path, 1, [("a.weight", "float32", (4,), np.zeros(3, np.float32))])
    assert not list(tmp_path.glob("v*"))


def test_retire_removes_only_older_versions(tmp_path):
    for v in (1, 2, 3):
        published(tmp_path, v)
    assert weights.retire(tmp_path, 3) == [1, 2]
    assert [p.name for p in tmp_path.glob("v*")] == ["v00000003"]
