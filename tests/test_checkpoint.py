import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from model.checkpoint import load_generator, load_identity_encoder, save
from model.errors import CheckpointError
from model.generator import GeneratorConfig
from model.seeded import seeded_generator

State = dict[str, torch.Tensor]
ONE = torch.ones(1)
CONFIG = GeneratorConfig(channels=4, embedding_size=8)


@pytest.fixture
def state() -> State:
    return dict(seeded_generator(CONFIG).state_dict())


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrap",
    [
        lambda s: s,
        lambda s: {f"module.{k}": v for k, v in s.items()},
        lambda s: {"state_dict": s},
        lambda s: {"generator": s, "epoch": 3},
        lambda s: {"G": {f"module.{k}": v for k, v in s.items()}, "D": {}},
        lambda s: {f"module.module.{k}": v for k, v in s.items()},
        lambda s: {f"_orig_mod.{k}": v for k, v in s.items()},
        lambda s: {f"module._orig_mod.{k}": v for k, v in s.items()},
        lambda s: {k.replace("decoder.", "decoder._orig_mod."): v for k, v in s.items()},
        lambda s: {f"generator.{k}": v for k, v in s.items()},
        lambda s: {f"model.{k}": v for k, v in s.items()},
        lambda s: {
            "state_dict": {f"generator.{k}": v for k, v in s.items()} | {"discriminator.w": ONE},
            "epoch": 3,
        },
        lambda s: {"generator_ema": s, "step": 7},
        lambda s: {"params_ema": s},
        lambda s: {"model": {"state_dict": s}, "optimizer": {}},
        lambda s: {"model": "MobileFSGAN", "state_dict": s},
        lambda s: dict(s, epoch=7, name="run", best=None),
        lambda s: {"n_averaged": torch.tensor(3)} | {f"module.{k}": v for k, v in s.items()},
        lambda s: {"student": s, "optimizer": {"state": {0: {"exp_avg": ONE}}}, "step": 3},
        lambda s: {"gen": {"weights": s}, "disc": {}},
        lambda s: {f"online_model.module.{k}": v for k, v in s.items()},
    ],
    ids=[
        "bare",
        "ddp",
        "state_dict",
        "generator",
        "G",
        "ddp twice",
        "compiled",
        "compiled in ddp",
        "a compiled part",
        "generator.",
        "model.",
        "lightning",
        "generator_ema",
        "params_ema",
        "model",
        "model is a name",
        "numbers beside the weights",
        "AveragedModel",
        "a wrapper of any name",
        "wrappers of any name",
        "a prefix of any name",
    ],
)
def test_every_way_of_saving_loads_unchanged(
    wrap: Callable[[State], object], state: State, tmp_path: Path
) -> None:
    torch.save(wrap(state), tmp_path / "g.pt")
    loaded = load_generator(tmp_path / "g.pt").state_dict()
    assert all(torch.equal(loaded[k], v) for k, v in state.items())


def test_safetensors_load_unchanged(state: State, tmp_path: Path) -> None:
    save_file(state, tmp_path / "g.safetensors")
    loaded = load_generator(tmp_path / "g.safetensors").state_dict()
    assert all(torch.equal(loaded[k], v) for k, v in state.items())


def test_channels_and_embedding_size_are_read_from_the_weights(
    state: State, tmp_path: Path
) -> None:
    torch.save(state, tmp_path / "g.pt")
    assert load_generator(tmp_path / "g.pt").config == CONFIG


def test_half_precision_weights_become_float32(state: State, tmp_path: Path) -> None:
    half = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    torch.save(half, tmp_path / "g.pt")
    assert load_generator(tmp_path / "g.pt").encoder_head.conv_image.weight.dtype == torch.float32


def test_save_and_load_give_the_same_weights(state: State, tmp_path: Path) -> None:
    save(seeded_generator(CONFIG), tmp_path / "new" / "g.pt")
    loaded = load_generator(tmp_path / "new" / "g.pt").state_dict()
    assert all(torch.equal(loaded[k], v) for k, v in state.items())
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["g.pt"]


def changed(state: State, **changes: torch.Tensor | None) -> State:
    for name, tensor in changes.items():
        key = name.replace("__", ".")
        if tensor is None:
            del state[key]
        else:
            state[key] = tensor
    return state


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoder_head__conv1x1__bias": None}, r"keys missing: 1 \(encoder_head.conv1x1.bias\)"),
        ({"extra__weight": torch.zeros(2)}, r"keys unknown: 1 \(extra.weight\)"),
        ({"encoder_head__conv1x1__bias": torch.zeros(5)}, r"conv1x1.bias is \(5,\).*\(4,\)"),
        ({"encoder_head__conv1x1__bias": torch.full((4,), torch.nan)}, "NaN, infinite"),
        ({"encoder_head__conv1x1__bias": torch.full((4,), torch.inf)}, "NaN, infinite"),
        (
            {"attribute_encoder__b64_1__normalize__running_var": -torch.ones(4)},
            "running_var has values that are NaN, infinite or impossible",
        ),
        ({"encoder_head__conv_image__weight": torch.zeros(())}, r"conv_image.weight is \(\)"),
        ({"encoder_head__conv1x1__bias": torch.zeros(4, dtype=torch.int32)}, "bias holds int32"),
        ({"encoder_head__conv1x1__bias": torch.zeros(4, dtype=torch.bool)}, "bias holds bool"),
        ({"encoder_head__conv1x1__bias": torch.zeros(4) * 1j}, "bias holds complex64"),
        (
            {"encoder_head__conv1x1__bias": torch.full((4,), 1e300, dtype=torch.float64)},
            "NaN, infinite",
        ),
        ({"encoder_head__conv1x1__bias": torch.zeros(4).to_sparse()}, "is a sparse_coo tensor"),
        ({"encoder_head__conv1x1__bias": torch.zeros(4, device="meta")}, "is a meta tensor"),
        ({"epoch": torch.tensor(7)}, r"keys unknown: 1 \(epoch\)"),
    ],
    ids=[
        "missing",
        "unknown",
        "shape",
        "nan",
        "infinite",
        "negative variance",
        "scalar",
        "int32",
        "bool",
        "complex",
        "beyond float32",
        "sparse",
        "meta",
        "epoch as a tensor",
    ],
)
def test_weights_that_do_not_fit_are_refused_by_name(
    change: dict[str, torch.Tensor | None], message: str, state: State, tmp_path: Path
) -> None:
    torch.save(changed(state, **change), tmp_path / "g.pt")
    with pytest.raises(CheckpointError, match=message):
        load_generator(tmp_path / "g.pt")


@pytest.mark.parametrize(
    ("names", "guess"),
    [
        (["model.0.weight_orig", "model.0.weight_u"], "a discriminator"),
        (["conv_6_sep.conv.weight", "conv1.conv.weight"], "a MobileFaceNet identity encoder"),
        (["layer1.0.conv1.weight", "fc.weight"], "a ResNet face recogniser"),
        (["features.0.weight"], "a VGG"),
    ],
)
def test_a_foreign_network_is_guessed(names: list[str], guess: str, tmp_path: Path) -> None:
    torch.save({name: torch.zeros(2) for name in names}, tmp_path / "f.pt")
    with pytest.raises(CheckpointError, match=f"looks like {guess}"):
        load_generator(tmp_path / "f.pt")


def test_a_generator_is_no_identity_encoder(state: State, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "g.pt")
    with pytest.raises(CheckpointError, match="not a MobileFaceNet identity encoder"):
        load_identity_encoder(tmp_path / "g.pt")


class Exploit:
    """Touches a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("dump", [torch.save, lambda o, p: p.write_bytes(pickle.dumps(o))])
def test_a_pickle_that_would_run_code_is_refused_and_does_not_run(
    dump: Callable[[object, Path], None], tmp_path: Path
) -> None:
    dump({"weights": Exploit(tmp_path / "ran")}, tmp_path / "evil.pt")
    with pytest.raises(CheckpointError, match="could run code, so it was not loaded"):
        load_generator(tmp_path / "evil.pt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["g.pt", "g.safetensors"])
@pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused(name: str, part: float, state: State, tmp_path: Path) -> None:
    path = tmp_path / name
    save_file(state, path) if name.endswith("safetensors") else torch.save(state, path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(CheckpointError, match="cut short"):
        load_generator(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (torch.zeros(3), "holds a Tensor"),
        ({}, "holds nothing"),
        ({"optimizer": {}, "epoch": 3}, "holds optimizer, epoch; expected weights"),
        ([torch.zeros(3)], "holds a list"),
        ({"w": ONE, "optimizer": {}}, r"holds optimizer \(dict\) among the weights"),
        (
            {"generator": {"w": ONE}, "generator_ema": {"w": ONE}},
            r"under generator and generator_ema.*torch.load\(FILE\)\['generator_ema'\]",
        ),
        (
            {"G_state_dict": {"w": ONE}, "D_state_dict": {"w": ONE}},
            r"under G_state_dict and D_state_dict.*torch.load\(FILE\)\['G_state_dict'\]",
        ),
        (
            {"generator.w": ONE, "generator_ema.w": ONE},
            r"several networks \(generator., generator_ema.\).*k.startswith\('generator.'\)",
        ),
        ({"w": ONE, "module.w": ONE}, "some weights twice"),
    ],
)
def test_a_file_without_weights_by_name_is_refused(
    content: object, message: str, tmp_path: Path
) -> None:
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match=message):
        load_generator(tmp_path / "x.pt")


def test_a_text_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.pt").write_text("not a checkpoint\n")
    with pytest.raises(CheckpointError, match="not a PyTorch checkpoint"):
        load_generator(tmp_path / "x.pt")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nothing.pt does not exist"):
        load_generator(tmp_path / "nothing.pt")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is a folder"):
        load_generator(tmp_path)
