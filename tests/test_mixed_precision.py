"""Compressed files that miss their gate keep the layers that 8 bits cost most, by themselves."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from export.files import FileMaker, Orders
from export.proof.parity import Chain, Reference, run_torch
from export.proof.samples import make_pairs
from export.quantize.calibration import built_in
from export.quantize.ranking import Layer, Rankings
from export.quantize.recipe import candidates, recipe
from export.stages import Stages
from export.subject import Subject
from export.workbench import Workbench
from model.contract import ModelSpec
from model.deploy import DeployedGenerator
from model.errors import ParityError
from model.generator import GeneratorConfig
from model.seeded import seeded_generator

pytestmark = pytest.mark.slow

SIZE, EMBEDDING_SIZE = 64, 8
OUTLIER = "painter.head.conv3x3"


@pytest.fixture(scope="module")
def subject(one_thread: None) -> Subject:
    """A generator with one layer that 8 bits per channel hurt: a weight of each channel is huge."""
    trained = seeded_generator(GeneratorConfig(16, EMBEDDING_SIZE))
    network = DeployedGenerator(trained).requires_grad_(False).eval()
    network.get_submodule(OUTLIER).weight[:, 0, 0, 0] *= 60
    return Subject("generator", network, SIZE, EMBEDDING_SIZE)


class OneChain:
    """Stands for `Chains`: the network itself is the reference."""

    def __init__(self, subject: Subject) -> None:
        pairs = make_pairs(2, SIZE, EMBEDDING_SIZE, None, None, seed=0)
        pictures = [run_torch(subject.network, pair) for pair in pairs]
        self._chain = Chain(Reference(pairs, pictures, None, None, None))

    def of(self, _precision: str) -> Chain:
        return self._chain


def make(
    subject: Subject, folder: Path, format: str, *precisions: str, mixed: bool = True
) -> tuple[list[ModelSpec], list[ParityError]]:
    for name in ("bundle", "work"):
        (folder / name).mkdir()
    stages = Stages(quiet=True)
    bench = Workbench(folder / "bundle", folder / "work", folder / "log", stages)
    pairs = built_in(SIZE, EMBEDDING_SIZE, None, 2)
    orders = Orders({format: precisions}, 17, 1, (), mixed, pairs)
    rankings = Rankings(subject, pairs.faces, pairs.embeddings, stages)
    return FileMaker(subject, orders, bench, OneChain(subject), rankings, folder / "x").make()


@pytest.mark.parametrize(("format", "precision"), [("onnx", "int8"), ("mlpackage", "int8")])
def test_the_layer_with_the_outlier_is_kept_and_the_manifest_says_so(
    format: str, precision: str, subject: Subject, tmp_path: Path
) -> None:
    (spec,), missed = make(subject, tmp_path, format, precision)
    assert not missed
    assert spec.recipe is not None
    assert OUTLIER in spec.recipe.keep
    assert 0 < spec.recipe.lost_share <= 0.5


def test_without_a_recipe_the_miss_names_the_layers_and_the_other_files_are_made(
    subject: Subject, tmp_path: Path
) -> None:
    made, (miss,) = make(subject, tmp_path, "onnx", "fp16", "int8", mixed=False)
    assert [spec.precision for spec in made] == ["fp16"]
    words = str(miss)
    assert "generator-int8.onnx has" in words
    assert "generator-fp16.onnx" in words
    named = re.findall(r"([\w.]+) \(alone -?[\d.]+ dB\)", words)
    assert OUTLIER in named
    assert set(named) <= {name for name, _ in subject.network.named_modules()}
    assert len(named) == 3
    assert "python -m export.sensitivity CKPT --format tflite" in words


def test_sets_of_layers_double_and_never_cost_more_than_half_of_the_gain() -> None:
    network = torch.nn.Sequential(*(torch.nn.Linear(4, 4, bias=False) for _ in range(20)))
    ranked = [Layer(str(i), float(i)) for i in range(20)]
    sets = list(candidates(network, ranked, (), "mlpackage", "int8"))
    assert [len(keep) for keep in sets] == [1, 2, 4, 8, 10]
    assert sets[0] == ["0"]
    assert recipe(network, sets[-1], "mlpackage", "int8").lost_share == 0.5
    # float32 instead of int8 costs three bytes a weight, fp16 instead of it saves one.
    assert [len(k) for k in candidates(network, ranked, (), "onnx", "int8")] == [1, 2, 3]


def test_a_layer_that_is_too_large_is_passed_over() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(90, 10), torch.nn.Linear(10, 10))
    ranked = [Layer("0", 1.0), Layer("1", 2.0)]
    assert list(candidates(network, ranked, (), "mlpackage", "int8")) == [["1"]]


def test_nothing_to_keep_is_no_recipe() -> None:
    assert recipe(torch.nn.Linear(2, 2), (), "onnx", "int8") is None


def test_an_identity_encoder_is_ranked_by_its_embeddings() -> None:
    from model.mobilefacenet import MobileFaceNetConfig
    from model.seeded import seeded_identity_encoder

    encoder = seeded_identity_encoder(MobileFaceNetConfig(4, EMBEDDING_SIZE))
    encoder = encoder.requires_grad_(False)
    pairs = built_in(SIZE, EMBEDDING_SIZE, None, 1)
    subject = Subject("identity", encoder, SIZE, EMBEDDING_SIZE)
    ranked = Rankings(subject, pairs.faces, pairs.embeddings, Stages(quiet=True)).of(
        "mlpackage", "pal6"
    )
    names = {name for name, _ in encoder.named_modules()}
    assert {layer.name for layer in ranked} <= names
    assert "linear" in {layer.name for layer in ranked}
    assert all(np.isfinite(layer.psnr_db) for layer in ranked)
