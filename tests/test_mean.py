"""A mean of checkpoints is their weighted sum, and a checkpoint."""

from __future__ import annotations

import pytest
import torch

from model.checkpoint import load_generator, load_identity_encoder, save
from model.generator import Generator, GeneratorConfig
from training.mean import main


def test_every_number_is_the_weighted_sum(tmp_path, tiny_checkpoints) -> None:
    first = load_generator(tiny_checkpoints[0])
    second = Generator(first.config)
    save(second, tmp_path / "b.pt")
    of = ["--of", str(tiny_checkpoints[0]), "0.25", "--of", str(tmp_path / "b.pt"), "0.75"]
    assert main([*of, "-o", str(tmp_path / "mean.pt")]) == 0
    found = load_generator(tmp_path / "mean.pt").state_dict()
    for name, value in first.state_dict().items():
        if value.is_floating_point():
            wanted = 0.25 * value + 0.75 * second.state_dict()[name]
            torch.testing.assert_close(found[name], wanted, rtol=1e-6, atol=1e-7)
        else:
            assert torch.equal(found[name], value)


def test_identity_encoders_have_means_too(tmp_path, tiny_checkpoints) -> None:
    one = str(tiny_checkpoints[1])
    flags = ["--identity", "--of", one, "0.5", "--of", one, "0.5", "-o", str(tmp_path / "m.pt")]
    assert main(flags) == 0
    found = load_identity_encoder(tmp_path / "m.pt").state_dict()
    wanted = load_identity_encoder(tiny_checkpoints[1]).state_dict()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_an_embedding_gain_multiplies_what_takes_the_embedding_and_nothing_else(
    tmp_path, tiny_checkpoints
) -> None:
    one = str(tiny_checkpoints[0])
    flags = ["--of", one, "1", "--embedding-gain", "1.5", "-o", str(tmp_path / "m.pt")]
    assert main(flags) == 0
    before, after = load_generator(tiny_checkpoints[0]), load_generator(tmp_path / "m.pt")
    layers = {id(layer.weight) for layer in before.embedding_layers()}
    for (name, old), new in zip(before.named_parameters(), after.parameters(), strict=True):
        torch.testing.assert_close(new, old * (1.5 if id(old) in layers else 1), msg=name)


def test_an_identity_encoder_takes_no_embedding_gain(tmp_path, tiny_checkpoints, capsys) -> None:
    flags = ["--identity", "--of", str(tiny_checkpoints[1]), "1", "--embedding-gain", "1.5"]
    assert main([*flags, "-o", str(tmp_path / "m.pt")]) == 2
    assert "leave out --embedding-gain" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("shares", "code", "words"),
    [
        (("0.5", "0.6"), 2, "sum up to 1.1"),
        (("half", "0.5"), 2, "not 'half'"),
        (("0.5", "0.5"), 4, "one kind"),
    ],
)
def test_what_has_no_mean_is_refused(shares, code, words, tmp_path, tiny_checkpoints, capsys):
    other = tmp_path / "other.pt"
    save(Generator(GeneratorConfig(channels=6, embedding_size=8)), other)
    of = ["--of", str(tiny_checkpoints[0]), shares[0], "--of", str(other), shares[1]]
    assert main([*of, "-o", str(tmp_path / "mean.pt")]) == code
    assert words in capsys.readouterr().err
    assert not (tmp_path / "mean.pt").exists()


@pytest.mark.parametrize("words", [["a.pt", "b.pt"], ["-o", "mean.pt"], []])
def test_a_refusal_says_how_a_mean_is_written(words, capsys) -> None:
    assert main(words) == 2
    assert "as in --of a.pt 0.3 --of b.pt 0.7 -o mean.pt" in capsys.readouterr().err
