import numpy as np
import pytest
import torch

from export.proof.parity import Chain, Reference, min_psnr_db, run_torch
from export.proof.samples import Pair, make_pairs
from model.errors import ParityError
from model.generator import Generator, GeneratorConfig
from model.mobilefacenet import MobileFaceNetConfig
from model.seeded import seeded_generator, seeded_identity_encoder

SIZE, EMBEDDING_SIZE = 64, 8


@pytest.fixture(scope="module")
def generator() -> Generator:
    return seeded_generator(GeneratorConfig(4, EMBEDDING_SIZE))


@pytest.fixture
def chain(generator: Generator) -> Chain:
    encoder = seeded_identity_encoder(MobileFaceNetConfig(4, EMBEDDING_SIZE))
    pairs = make_pairs(4, SIZE, EMBEDDING_SIZE, encoder, None, seed=0)
    return Chain(Reference.compute(generator, encoder, pairs))


def as_trained(generator: Generator, pair: Pair) -> np.ndarray:
    return run_torch(lambda t, e: generator(t, e).image256, pair)


@pytest.mark.slow
def test_the_network_itself_passes(chain: Chain, generator: Generator) -> None:
    parity = chain.generator("same", lambda pair: as_trained(generator, pair), 60)
    assert parity.samples == 4
    assert parity.max_abs == 0
    assert parity.ssim == pytest.approx(1)
    assert parity.identity_cosine == pytest.approx(1)


@pytest.mark.slow
def test_one_bad_pair_is_a_miss_that_names_the_link_the_pair_and_those_before(
    chain: Chain, generator: Generator
) -> None:
    bad = chain.reference.pairs[2]

    def broken(pair: Pair) -> np.ndarray:
        return as_trained(generator, pair) + (0.01 if pair is bad else 0)

    chain.generator("first.onnx", lambda pair: as_trained(generator, pair), 60)
    with pytest.raises(ParityError) as missed:
        chain.generator("second.tflite", broken, 60)
    message = str(missed.value)
    assert "second.tflite has PSNR 40 dB" in message
    assert bad.name in message
    assert "the gate is 60 dB" in message
    assert "that held: first.onnx" in message


@pytest.mark.slow
def test_a_picture_of_somebody_else_is_a_miss_however_near_its_pixels(
    chain: Chain, generator: Generator
) -> None:
    def subtly_wrong(pair: Pair) -> np.ndarray:
        rng = np.random.default_rng(0)
        return as_trained(generator, pair) + rng.normal(0, 0.1, (SIZE, SIZE, 3)).astype("f")

    with pytest.raises(ParityError, match="identity cosine"):
        chain.generator("x.onnx", subtly_wrong, gate_db=1)


def test_nan_is_a_miss_even_with_the_lowest_gate(chain: Chain) -> None:
    nan = np.full((SIZE, SIZE, 3), np.nan, np.float32)
    with pytest.raises(ParityError, match="not finite for 'Hopper 1 as Collins', first in relu_7"):
        chain.generator("x.onnx", lambda _: nan, -999, explain=lambda _: ", first in relu_7")


def test_a_network_that_overflows_is_reported_with_its_first_layer(generator: Generator) -> None:
    weights = {k: v.clone() for k, v in generator.state_dict().items()}
    overflowing = Generator(generator.config).eval()
    weights["decoder.b128_2.conv_attention.bias"].fill_(torch.finfo(torch.float32).max)
    overflowing.load_state_dict(weights)
    pairs = make_pairs(1, SIZE, EMBEDDING_SIZE, None, None, seed=0)
    with pytest.raises(ParityError, match=r"'Hopper 1 as random 1', first in decoder\.b128_"):
        Reference.compute(overflowing, None, pairs)


def test_the_identity_encoder_is_held_by_its_cosine(chain: Chain) -> None:
    assert chain.reference.faces is not None
    answers = dict(zip([p.name for p in chain.reference.pairs], chain.reference.faces, strict=True))
    assert chain.identity("i.onnx", lambda p: answers[p.name]).identity_cosine == pytest.approx(1)
    with pytest.raises(ParityError, match=r"identity cosine -1"):
        chain.identity("i.onnx", lambda p: -answers[p.name])


@pytest.mark.parametrize(
    ("precision", "eight_bit", "gate"),
    [("fp32", False, 60), ("fp16", False, 45), ("fp32", True, 45)],
)
def test_gates(precision: str, eight_bit: bool, gate: float) -> None:
    assert min_psnr_db(precision, eight_bit) == gate


def test_each_portrait_first_meets_the_others_identity() -> None:
    encoder = seeded_identity_encoder(MobileFaceNetConfig(4, EMBEDDING_SIZE))
    names = [p.name for p in make_pairs(8, SIZE, EMBEDDING_SIZE, encoder, None, seed=0)]
    assert names[:4] == [
        "Hopper 1 as Collins", "Collins 1 as Hopper", "Hopper 2 as random 1",
        "Collins 2 as random 2",
    ]  # fmt: skip
    assert len(set(names)) == 8


def test_embeddings_of_all_pairs_have_unit_norm() -> None:
    pairs = make_pairs(8, SIZE, EMBEDDING_SIZE, None, None, seed=0)
    np.testing.assert_allclose([np.linalg.norm(p.embedding) for p in pairs], 1, rtol=1e-6)
