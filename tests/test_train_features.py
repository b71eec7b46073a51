"""What pictures are compared by: VGG-19 as torchvision names it, and the frozen recogniser."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from model.aligned_face import FACE_SIZE
from model.errors import CheckpointError
from model.mobilefacenet import MobileFaceNet, MobileFaceNetConfig
from model.seeded import seeded_identity_encoder
from model.wrap import PictureIdentityEncoder
from training.generator.features import Vgg19, load_vgg19
from training.generator.frozen import frozen
from training.recogniser.student import early_features, embed
from training.recogniser.views import Looks, random_looks, recogniser_view, relit

# Where torchvision's vgg19().features has its convolutions up to relu5_1.
CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28)


def test_vgg19_has_torchvisions_names_and_levels() -> None:
    network = Vgg19()
    assert list(network.state_dict()) == [
        f"features.{i}.{part}" for i in CONVOLUTIONS for part in ("weight", "bias")
    ]
    levels = network(torch.zeros(1, 3, 32, 32))
    assert [(x.shape[1], x.shape[2]) for x in levels] == [
        (64, 32), (128, 16), (256, 8), (512, 4), (512, 2),
    ]  # fmt: skip
    assert all((x >= 0).all() for x in levels)


def test_vgg19_loads_a_whole_file_and_refuses_others(tmp_path: Path) -> None:
    state = Vgg19().state_dict()
    beyond = {"features.30.weight": torch.zeros(2), "classifier.0.bias": torch.zeros(2)}
    torch.save({**state, **beyond}, tmp_path / "vgg.pth")
    loaded = load_vgg19(tmp_path / "vgg.pth").state_dict()
    assert all(torch.equal(loaded[key], state[key]) for key in state)
    torch.save({k: v for k, v in state.items() if "10." not in k}, tmp_path / "cut.pth")
    torch.save({**state, "features.3.weight": torch.zeros(2)}, tmp_path / "more.pth")
    for name, key in (("cut", "features.10.weight"), ("more", "features.3.weight")):
        with pytest.raises(CheckpointError, match=key):
            load_vgg19(tmp_path / f"{name}.pth")
    with pytest.raises(CheckpointError, match="does not exist"):
        load_vgg19(tmp_path / "gone.pth")


def test_freezing_keeps_the_recognisers_answers() -> None:
    config = MobileFaceNetConfig(4, 16)
    view = torch.rand(2, 3, 112, 112, generator=torch.Generator().manual_seed(0)) * 2 - 1
    expected = seeded_identity_encoder(config)(view)
    folded = frozen(seeded_identity_encoder(config))
    torch.testing.assert_close(embed(folded, view), expected, atol=1e-5, rtol=0)
    assert not any(p.requires_grad for p in folded.parameters())
    assert [x.shape[-1] for x in early_features(folded, view)] == [56, 56, 28, 28, 14]


@pytest.mark.parametrize(("bf16", "close"), [(False, 0.99999), (True, 0.98)])
def test_freezing_keeps_the_gradient_of_the_view(bf16: bool, close: float) -> None:
    view = torch.rand(2, 3, 112, 112, generator=torch.Generator().manual_seed(0)) * 2 - 1
    config = MobileFaceNetConfig(4, 16)

    def gradient(encoder: MobileFaceNet, *, bf16: bool) -> torch.Tensor:
        leaf = view.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            embed(encoder, leaf)[:, 0].sum().backward()
        assert leaf.grad is not None
        return leaf.grad.flatten()

    expected = gradient(seeded_identity_encoder(config), bf16=False)
    found = gradient(frozen(seeded_identity_encoder(config)), bf16=bf16)
    assert torch.cosine_similarity(found, expected, dim=0) > close


def test_the_view_of_a_result_is_the_contracts_crop_and_lets_gradients_through() -> None:
    encoder = seeded_identity_encoder(MobileFaceNetConfig(4, 16))
    noise = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    faces = torch.nn.functional.interpolate(noise, FACE_SIZE, mode="bilinear").requires_grad_()
    view = recogniser_view(faces * 2 - 1, 112)
    torch.testing.assert_close(encoder(view), PictureIdentityEncoder(encoder)(faces),
                               atol=1e-3, rtol=0)  # fmt: skip
    view.sum().backward()
    assert faces.grad is not None
    inside = faces.grad[:, :, 26:230, 26:230].abs().sum()
    assert inside > 0
    assert faces.grad.abs().sum() == pytest.approx(inside.item())


def test_relit_views_differ_in_light_and_blur_and_stay_in_place() -> None:
    view = torch.zeros(64, 3, 16, 16)
    view[:, :, 8, 8] = 1.0
    looks = random_looks(64, torch.Generator().manual_seed(0))
    changed = relit(view, looks)
    assert (changed.amax(1).flatten(1).argmax(1) == 8 * 16 + 8).all()
    soft = (changed[:, 0, 8, 9] - changed[:, 0, 0, 0]).abs() > 1e-6
    assert 20 < soft.sum() < 44  # every second one is blurred
    plain = Looks(torch.ones(64, 3, 1, 1), torch.zeros(64, 1, 1, 1), torch.zeros(64, 1, 1, 1))
    assert torch.equal(relit(view, plain), view)
