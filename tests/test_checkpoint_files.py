"""Files that are no checkpoints are told apart, and none takes much memory or time."""

import gzip
import io
import os
import pickle
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import helper
from safetensors.torch import save as as_safetensors

from model.checkpoint import load_generator
from model.errors import CheckpointError
from model.generator import Generator, GeneratorConfig
from model.seeded import seeded_generator

State = dict[str, torch.Tensor]
BIAS, WEIGHT = "encoder_head.conv1x1.bias", "encoder_head.conv_image.weight"


@pytest.fixture(scope="module")
def state() -> State:
    return dict(seeded_generator(GeneratorConfig(channels=4, embedding_size=8)).state_dict())


def saved(content: object, **options: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, **options)  # type: ignore[arg-type]
    return file.getvalue()


def refusal(data: bytes, folder: Path, name: str = "x.pt") -> str:
    """What is said of a file with this content."""
    (folder / name).write_bytes(data)
    with pytest.raises(CheckpointError) as refused:
        load_generator(folder / name)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def rezipped(change: Callable[[bytes], bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A checkpoint whose pickle is changed and whose records are stored by another method."""
    source, file = zipfile.ZipFile(io.BytesIO(saved({"a": torch.ones(2)}))), io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name in source.namelist():
            data = source.read(name)
            archive.writestr(name, change(data) if name.endswith("data.pkl") else data)
    return file.getvalue()


def numpy_archive() -> bytes:
    file = io.BytesIO()
    np.savez(file, a=np.zeros(3))
    return file.getvalue()


class Program(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def torch_script() -> bytes:
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(Program()), file)
    return file.getvalue()


FOREIGN: dict[str, tuple[Callable[[], bytes], str]] = {
    "gzip": (lambda: gzip.compress(saved({})), "is a gzip archive.*gunzip"),
    "TorchScript": (torch_script, "is a TorchScript program; .*torch.jit.load"),
    "ONNX": (
        lambda: helper.make_model(
            helper.make_graph([], "g", [], []), producer_name="pytorch"
        ).SerializeToString(),
        "is an ONNX model",
    ),
    "ONNX without a producer": (
        lambda: helper.make_model(helper.make_graph([], "g", [], [])).SerializeToString(),
        "is an ONNX model",
    ),
    "TFLite": (lambda: b"\x1c\0\0\0TFL3" + bytes(32), "is a TFLite model"),
    "NumPy archive": (numpy_archive, "zip archive, but not of torch.save .*a.npy"),
    "web page": (lambda: b"\n<!DOCTYPE html><html>", "is a web page"),
    "XML": (lambda: b'\xef\xbb\xbf<?xml version="1.0"?><Error/>', "is XML; .*Download"),
    "Git LFS": (lambda: b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"),
    "plain pickle": (lambda: pickle.dumps({"a": 1}, 2), "torch.save did not write it"),
    "compressed": (
        lambda: rezipped(lambda data: data, zipfile.ZIP_DEFLATED),
        "compressed afterwards",
    ),
    "another protocol": (
        lambda: saved({"a": torch.ones(2)}, pickle_protocol=4),
        "another pickle_protocol",
    ),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_file_is_told_what_it_is(kind: str, tmp_path: Path) -> None:

    make, words = FOREIGN[kind]
    assert re.search(words, refusal(make(), tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["x.pt", "x.pth", "x.bin", "x"])
def test_the_content_tells_the_format_not_the_name(name: str, state: State, tmp_path: Path) -> None:
    for data in (saved(state), as_safetensors(state)):
        (tmp_path / name).write_bytes(data)
        loaded = load_generator(tmp_path / name).state_dict()
        assert all(torch.equal(loaded[key], value) for key, value in state.items())


def test_a_file_of_torch_named_safetensors_is_refused_with_what_to_do(
    state: State, tmp_path: Path
) -> None:
    assert "Rename it to .pt" in refusal(saved(state), tmp_path, "x.safetensors")


def test_a_file_of_an_old_pytorch_loads_unchanged(state: State, tmp_path: Path) -> None:
    (tmp_path / "x.pt").write_bytes(saved(state, _use_new_zipfile_serialization=False))
    loaded = load_generator(tmp_path / "x.pt").state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in state.items())


def test_what_is_loaded_does_not_change_with_the_file(state: State, tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    torch.save(state, path)
    network = load_generator(path)
    path.write_bytes(bytes(path.stat().st_size))
    assert all(torch.equal(network.state_dict()[key], value) for key, value in state.items())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("new", [True, False], ids=["archive", "old file"])
def test_a_quantised_tensor_is_refused_as_one(new: bool, state: State, tmp_path: Path) -> None:
    quantised = torch.quantize_per_tensor(torch.zeros(4), 0.1, 0, torch.qint8)
    data = saved({**state, BIAS: quantised}, _use_new_zipfile_serialization=new)
    assert "holds quantised tensors" in refusal(data, tmp_path)


OBJECTS = b"\x80\x02]" + b"}a" * 600_000 + b"."  # a list of empty dictionaries
LONG = b"\x80\x02X" + struct.pack("<I", 5 << 20) + b"x" * (5 << 20) + b"."
BYTES = b"\x80\x02cbuiltins\nbytearray\n(\x8a\x05\x00\x00\x00\x00\x10tR."  # of 64 GB
TENSOR = b"\x80\x02}X\x01\x00\x00\x00actorch\nTensor\n(J\x00\x00\x01\x00J\x00\x00\x01\x00tRs."


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (lambda: rezipped(lambda _: OBJECTS), "describes more than a checkpoint holds"),
        (lambda: rezipped(lambda _: LONG), "describes more than a checkpoint holds"),
        (lambda: rezipped(lambda _: OBJECTS, zipfile.ZIP_DEFLATED), "compressed afterwards"),
        (lambda: rezipped(lambda _: BYTES), "builtins.bytearray"),
        (lambda: rezipped(lambda _: TENSOR), "asks for 17,179,869,184"),
        (lambda: OBJECTS, "describes more than a checkpoint holds"),
        (
            lambda: saved(ONE, _use_new_zipfile_serialization=False)[:120] + b"}" * (5 << 20),
            "describes more than a checkpoint holds",
        ),
        (lambda: struct.pack("<Q", 1 << 40) + b"{" + b" " * 99, "describes more than"),
        (lambda: struct.pack("<Q", 100_000) + b'{"a":' * 20_000, "damaged or cut short"),
    ],
    ids=[
        "objects", "a long string", "deflated objects", "bytearray", "tensor by its size",
        "objects of an old file", "objects behind the head of an old file", "safetensors' header",
        "nested safetensors' header",
    ],
)  # fmt: skip
def test_a_file_that_asks_for_much_memory_is_refused(
    data: Callable[[], bytes], words: str, tmp_path: Path
) -> None:
    assert words in refusal(data(), tmp_path)


ONE = torch.ones(1)


def spread(*shape: int) -> torch.Tensor:
    """A tensor of this shape that is stored as one number."""
    return torch.as_strided(ONE, shape, (0,) * len(shape))


def aliases() -> State:
    """A generator of 300 channels whose tensors are all parts of one of 6 MB."""
    with torch.device("meta"):
        wanted = Generator(GeneratorConfig(300, 512)).state_dict()
    stored = torch.zeros(300 * 300 * 16)
    return {key: stored[: value.numel()].view(value.shape) for key, value in wanted.items()}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({BIAS: spread(200_000, 200_000)}, r"claims the shape (200000, 200000) with 4 bytes"),
        ({WEIGHT: spread(2**40, 3, 3, 3)}, "claims the shape (1099511627776, 3, 3, 3)"),
        ({WEIGHT: torch.zeros(2**40, 0, 3, 3)}, "claims the shape (1099511627776, 0, 3, 3)"),
        (aliases(), "bytes of weights and claims"),
    ],
    ids=["stride 0", "2^40 channels", "2^40 channels of nothing", "parts of one tensor"],
)
def test_shapes_beyond_what_is_stored_are_refused(
    change: State, words: str, state: State, tmp_path: Path
) -> None:
    assert words in refusal(saved({**state, **change}), tmp_path)


def test_an_archive_of_very_many_files_is_refused(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(500):
            archive.writestr(f"{number:060000}", b"")
    with zipfile.ZipFile(io.BytesIO(file.getvalue())) as archive:
        assert len(archive.infolist()) == 500
    assert "too many files" in refusal(file.getvalue(), tmp_path)


def test_a_dictionary_that_holds_itself_is_refused(tmp_path: Path) -> None:
    for key in ("model", "a"):
        content: dict[str, object] = {}
        content[key] = content
        assert f"holds {key}; expected weights" in refusal(saved(content), tmp_path)


@pytest.mark.parametrize(
    ("name", "words"),
    [("x" * 300 + ".pt", "cannot be read"), ("a\0b.pt", "cannot be read"), ("pipe.pt", "a pipe")],
    ids=["a long name", "a NUL in the name", "a pipe"],
)
def test_a_path_that_cannot_be_read_is_refused(name: str, words: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pt")
    with pytest.raises(CheckpointError, match=words):
        load_generator(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.pt").touch(mode=0)
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_generator(tmp_path / "x.pt")
