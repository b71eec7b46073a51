"""Compressed weights decode bit for bit as coremltools itself decodes them."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import coremltools.optimize.coreml as cto
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlprogram_packages import ct, save, small_net

from model.errors import ContractError
from pipeline.mlprogram.blob import BlobFile, unpack, unpack_bits
from pipeline.mlprogram.program import Package
from pipeline.quiet import quiet


def quantized(**config: Any) -> Callable[[Any], Any]:
    op = cto.OpLinearQuantizerConfig(weight_threshold=0, **config)
    return lambda m: cto.linear_quantize_weights(m, cto.OptimizationConfig(op))


def palettized(**config: Any) -> Callable[[Any], Any]:
    op = cto.OpPalettizerConfig(weight_threshold=0, mode="kmeans", **config)
    return lambda m: cto.palettize_weights(m, cto.OptimizationConfig(op))


def pruned() -> Callable[[Any], Any]:
    op = cto.OpMagnitudePrunerConfig(target_sparsity=0.6, weight_threshold=0)
    return lambda m: cto.prune_weights(m, cto.OptimizationConfig(op))


def pruned_then(second: Callable[..., Any], op: Any) -> Callable[[Any], Any]:
    return lambda m: second(pruned()(m), cto.OptimizationConfig(op), joint_compression=True)


KINDS: dict[str, tuple[str, str, Callable[[Any], Any]]] = {
    "int8 per channel, iOS 16": ("iOS16", "fp16", quantized(mode="linear_symmetric")),
    "int8 with zero point, iOS 17": ("iOS17", "fp32", quantized(mode="linear")),
    "uint8, iOS 16": ("iOS16", "fp32", quantized(mode="linear", dtype=np.uint8)),
    "int4 blocks, iOS 18": (
        "iOS18",
        "fp16",
        quantized(mode="linear_symmetric", dtype="int4", granularity="per_block", block_size=16),
    ),
    "uint4 blocks with offset, iOS 18": (
        "iOS18",
        "fp32",
        quantized(mode="linear", dtype="uint4", granularity="per_block", block_size=32),
    ),
    "6-bit palette, iOS 16": ("iOS16", "fp16", palettized(nbits=6)),
    "4-bit palette, iOS 17": ("iOS17", "fp32", palettized(nbits=4)),
    "1-bit palette, iOS 16": ("iOS16", "fp32", palettized(nbits=1)),
    "3-bit grouped palette, iOS 18": (
        "iOS18",
        "fp16",
        palettized(nbits=3, granularity="per_grouped_channel", group_size=16),
    ),
    "4-bit palette of vectors, iOS 18": ("iOS18", "fp32", palettized(nbits=4, cluster_dim=4)),
    "sparse, iOS 16": ("iOS16", "fp16", pruned()),
    "sparse, iOS 18": ("iOS18", "fp32", pruned()),
    "sparse and quantized, iOS 18": (
        "iOS18",
        "fp16",
        pruned_then(
            cto.linear_quantize_weights,
            cto.OpLinearQuantizerConfig(mode="linear_symmetric", weight_threshold=0),
        ),
    ),
    "sparse palette, iOS 18": (
        "iOS18",
        "fp32",
        pruned_then(
            cto.palettize_weights,
            cto.OpPalettizerConfig(mode="kmeans", nbits=4, weight_threshold=0),
        ),
    ),
}


def convolution_weights(package: Package) -> list[np.ndarray]:
    function = package.function()
    convolutions = [op for op in function.block.operations if op.type == "conv"]
    return [function.decoded[op.inputs["weight"].arguments[0].name] for op in convolutions]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_decoded_weights_are_coremltools_own_bit_for_bit(kind: str, tmp_path: Path) -> None:
    target, precision, compress = KINDS[kind]
    with quiet():
        compressed = compress(small_net(getattr(ct.target, target), precision))
        reference = cto.decompress_weights(compressed)
    package = save(compressed, tmp_path, "compressed")
    stored = {op.type for op in package.function().block.operations}
    assert any(name.startswith("constexpr_") for name in stored), "nothing was compressed"
    ours, theirs = convolution_weights(package), convolution_weights(save(reference, tmp_path))
    assert len(ours) == 2
    for mine, wanted in zip(ours, theirs, strict=True):
        assert mine.dtype == wanted.dtype
        np.testing.assert_array_equal(mine.view(np.uint8), wanted.view(np.uint8))


@given(st.integers(1, 8), st.data())
def test_bits_unpack_to_the_numbers_that_were_packed(bits: int, data: st.DataObject) -> None:
    numbers = data.draw(st.lists(st.integers(0, 2**bits - 1), min_size=1, max_size=40))
    whole = sum(number << (i * bits) for i, number in enumerate(numbers))
    packed = np.frombuffer(whole.to_bytes((len(numbers) * bits + 7) // 8, "little"), np.uint8)
    np.testing.assert_array_equal(unpack_bits(packed, bits, len(numbers)), numbers)


def test_signed_nibbles_keep_their_sign() -> None:
    np.testing.assert_array_equal(unpack(b"\x8f\x07", "INT4", (4,), ""), [-1, -8, 7, 0])


def weight_file(folder: Path, **changes: int) -> BlobFile:
    """A weight file with one blob of four fp32 numbers at 64, and fields of it changed."""
    fields = {"version": 2, "sentinel": 0xDEADBEEF, "code": 2, "size": 16, "start": 128} | changes
    header = struct.pack("<II", 1, fields["version"]).ljust(64, b"\0")
    metadata = struct.pack(
        "<IIQQQ", fields["sentinel"], fields["code"], fields["size"], fields["start"], 0
    ).ljust(64, b"\0")
    numbers = np.arange(4, dtype="<f4").tobytes()
    (folder / "weight.bin").write_bytes((header + metadata + numbers)[: fields.get("cut", 999)])
    return BlobFile(folder / "weight.bin")


def test_a_blob_is_read(tmp_path: Path) -> None:
    np.testing.assert_array_equal(
        weight_file(tmp_path).read(64, "FLOAT32", (2, 2)), [[0, 1], [2, 3]]
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sentinel": 0}, "the marker of a blob is not there"),
        ({"code": 1}, "it holds FLOAT16, not FLOAT32"),
        ({"code": 77}, "it holds 77, not FLOAT32"),
        ({"start": 2**63}, "it ends at"),
        ({"size": 2**63}, "it ends at"),
        ({"size": 12}, "12 bytes for 4 elements"),
        ({"cut": 80}, "no blob can start there"),
        ({"cut": 140}, "it ends at 144 of 140 bytes"),
    ],
)
def test_offsets_and_sizes_are_checked_before_they_are_used(
    changes: dict[str, int], words: str, tmp_path: Path
) -> None:
    with pytest.raises(ContractError, match=words):
        weight_file(tmp_path, **changes).read(64, "FLOAT32", (2, 2))


@pytest.mark.parametrize("offset", [-64, 1, 65, 2**40])
def test_an_offset_where_no_blob_can_be_is_refused(offset: int, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="no blob can start there"):
        weight_file(tmp_path).read(offset, "FLOAT32", (2, 2))


@pytest.mark.parametrize(
    ("changes", "words"), [({"version": 3}, "storage version 3"), ({"cut": 10}, "has 10 bytes")]
)
def test_a_foreign_weight_file_is_refused(
    changes: dict[str, int], words: str, tmp_path: Path
) -> None:
    with pytest.raises(ContractError, match=words):
        weight_file(tmp_path, **changes)
