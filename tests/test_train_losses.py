"""Each loss of the generator's training against a value worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from model.aligned_face import face_template
from model.generator import Generator, GeneratorConfig
from training.generator import losses
from training.generator.discriminator import Discriminators, PatchDiscriminator, eyes, mouth
from training.generator.excess import attention_excess, feature_excess
from training.generator.watch import watching


def test_generator_hinge_is_the_negated_mean_verdict() -> None:
    assert losses.generator_hinge(torch.tensor([1.0, 2.0, -6.0])).item() == 1.0


def test_discriminator_hinge_counts_only_what_is_within_the_margin() -> None:
    real = torch.tensor([2.0, 0.5])  # 0 and 0.5 short of 1
    fake = torch.tensor([-3.0, 1.0])  # 0 and 2 above -1
    assert losses.discriminator_hinge(real, fake).item() == 0.25 + 1.0


def test_identity_loss_averages_over_the_samples_that_lack_something() -> None:
    source = torch.tensor([[1.0, 0.0]]).repeat(4, 1)
    # cosines 1, 0.99 (both within the margin), 0.5 and 0: the mean of 0.48 and 0.98
    result = torch.tensor([
        [1.0, 0.0], [0.99, math.sqrt(1 - 0.99**2)], [0.5, math.sqrt(0.75)], [0.0, 1.0],
    ])  # fmt: skip
    every = torch.ones(4, dtype=torch.bool)
    assert losses.identity_loss(result, source, every).item() == pytest.approx(0.73)
    all_but_the_last = torch.tensor([True, True, True, False])
    assert losses.identity_loss(result, source, all_but_the_last).item() == pytest.approx(0.48)
    assert losses.identity_loss(result, source, every, 0.6).item() == pytest.approx(0.4)


def test_identity_loss_of_perfect_results_is_zero_and_has_a_gradient() -> None:
    result = torch.tensor([[1.0, 0.0]], requires_grad=True)
    value = losses.identity_loss(result, result.detach(), torch.tensor([True]))
    value.backward()
    assert value.item() == 0
    assert result.grad is not None
    assert torch.isfinite(result.grad).all()


def test_departure_asks_for_no_more_than_the_source_s_own_distance() -> None:
    target = torch.tensor([[1.0, 0.0]]).expand(3, 2)
    source = torch.tensor([[0.6, 0.8]]).expand(3, 2)  # cosine 0.6 to the target
    result = torch.tensor([[0.8, 0.6], [0.0, 1.0], [1.0, 0.0]])
    two_people = torch.tensor([True, True, False])
    value = losses.departure_loss(result, source, target, two_people)
    assert value.item() == pytest.approx((0.8 - 0.6 + 0.0) / 2)
    assert losses.departure_loss(result, source, target, two_people & False).item() == 0


def test_pixel_loss_leaves_out_black_corners_and_samples_without_truth() -> None:
    truth = torch.full((2, 3, 2, 2), 0.5)
    truth[0, :, 0, 0] = -1.0  # a corner that a rotation left empty
    truth[0, 0, 0, 1] = -1.0  # dark in one channel only: a colour, which counts
    result = truth + 0.2
    result[0, :, 0, 0] = 1.0
    result[1] = -0.9
    has_truth = torch.tensor([True, False])
    assert losses.pixel_loss(result, truth, has_truth).item() == pytest.approx(0.5 * 0.04)
    assert losses.pixel_loss(result, truth, torch.tensor([False, False])).item() == 0


def test_tone_loss_sees_colour_and_no_light_in_swaps_only() -> None:
    target = torch.zeros(2, 3, 64, 64)
    result = torch.full((2, 3, 64, 64), 0.4)  # brighter, of the same colour
    swapped = torch.tensor([False, True])
    assert losses.tone_loss(result, target, swapped).item() == pytest.approx(0, abs=1e-12)
    result[:, 0] += 0.3  # a redder one: 0.2 above the mean, the other two 0.1 below it
    expected = 0.5 * (0.2**2 + 2 * 0.1**2) / 3
    assert losses.tone_loss(result, target, swapped).item() == pytest.approx(expected)
    assert losses.tone_loss(result, target, torch.tensor([True, True])).item() == 0


def test_frame_loss_sees_the_outside_of_swaps_only() -> None:
    target = torch.zeros(2, 3, 64, 64)
    result = torch.zeros(2, 3, 64, 64)
    result[:, :, 7:57, 7:57] = 1.0  # the identity crop of 64 px
    swapped = torch.tensor([False, True])
    assert losses.frame_loss(result, target, swapped).item() == 0
    result[1] = 1.0  # has a truth, which the pixel loss answers for
    assert losses.frame_loss(result, target, swapped).item() == 0
    result[0, :, 0, :] = 2.0  # 64 of the 64*64 - 50*50 pixels outside
    expected = 0.5 * 4 * 64 / (64 * 64 - 50 * 50)
    assert losses.frame_loss(result, target, swapped).item() == pytest.approx(expected)


def test_surround_loss_sees_swaps_beside_the_face() -> None:
    target = torch.zeros(2, 3, 64, 64)
    result = torch.zeros(2, 3, 64, 64)
    result[:, :, 34:44, 27:37] = 1.0  # nose
    swapped = torch.tensor([False, True])
    assert losses.surround_loss(result, target, swapped).item() == pytest.approx(0, abs=1e-4)
    result[0, :, :8] = 0.5  # above the hair
    expected = 0.5 * 8 / 64
    assert losses.surround_loss(result, target, swapped).item() == pytest.approx(expected, rel=1e-2)
    assert losses.surround_loss(result, target, swapped | True).item() == 0


def test_face_only_shows_the_result_in_the_middle_and_the_target_in_the_corners() -> None:
    target, result = torch.zeros(1, 3, 64, 64), torch.ones(1, 3, 64, 64)
    shown = losses.face_only(result, target)
    assert shown[..., 36:42, 30:34].min() > 0.99  # between nose and mouth
    assert shown[..., :8, :].max() < 0.01  # hair
    assert shown[..., :8].max() < 0.01


def test_perceptual_loss_weighs_the_levels_as_published() -> None:
    zeros = [torch.zeros(1, 2, 4, 4)] * 5
    steps = [torch.full((1, 2, 4, 4), value) for value in (100.0, 1.0, 2.0, 3.0, 4.0)]
    expected = 0 * 100 + 0.6 * 1 + 0.8 * 2 + 1 * 3 + 1.2 * 4
    assert losses.perceptual_loss(steps, zeros).item() == pytest.approx(expected)


def test_attention_within_bounds_is_free() -> None:
    inside = torch.tensor([0.0, 0.5, 1.0, 0.25]).view(1, 1, 2, 2).requires_grad_()
    value = attention_excess([inside])
    value.backward()
    assert value.item() == 0
    assert inside.grad is None  # nothing is pulled anywhere


def test_attention_outside_costs_its_square_and_a_tenth_of_the_worst() -> None:
    outside = torch.tensor([3.0, 0.5, -1.0, 1.0]).view(1, 1, 2, 2)  # 2 above, 1 below
    worst = 2.0**2
    assert attention_excess([outside]).item() == pytest.approx((4 + 1) / 4 + 0.1 * worst)
    halved = attention_excess([outside, torch.zeros(1, 1, 2, 2)])
    assert halved.item() == pytest.approx(((4 + 1) / 4 + 0.1 * worst) / 2)


def test_features_beyond_the_limit_cost_in_units_of_it() -> None:
    features = torch.tensor([8.0 * 3, 0.0]).view(1, 2, 1, 1)
    assert feature_excess([features], 8.0).item() == pytest.approx(2.0**2 / 2 + 0.1 * 2.0**2)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_gradient_of_an_excess_is_that_of_its_formula(layout: torch.memory_format) -> None:
    noise = torch.randn(3, 5, 6, 7, generator=torch.Generator().manual_seed(0)) * 4
    mine = noise.contiguous(memory_format=layout).requires_grad_()
    plain = noise.detach().clone().requires_grad_()
    (3 * feature_excess([mine], 2.0)).backward()
    square = (plain.abs() / 2.0 - 1).clamp(min=0) ** 2
    (3 * (square.mean() + 0.1 * square.flatten(1).amax(1).mean())).backward()
    torch.testing.assert_close(mine.grad, plain.grad)


def test_watching_sees_all_attentions_and_leaves_nothing_behind() -> None:
    network = Generator(GeneratorConfig(4, 16)).eval()
    target, embedding = torch.zeros(2, 3, 64, 64), torch.zeros(2, 16)
    before = [*network.state_dict()]
    with torch.no_grad(), watching(network) as watch:
        network(target, embedding)
    assert [a.shape[-1] for a in watch.attentions] == [16] * 5 + [32] * 4 + [64] * 3
    assert sorted(f.shape[-1] for f in watch.features) == [16, 16, 32, 32, 64, 64]
    with torch.no_grad():
        network(target, embedding)
    assert len(watch.attentions) == 12
    assert [*network.state_dict()] == before


def test_three_discriminators_judge_patches_at_every_scale() -> None:
    judges = Discriminators().eval()
    pictures = [torch.zeros(2, 3, size, size) for size in (64, 32, 16)]
    verdicts = judges(pictures)
    assert len(verdicts) == 3
    assert all(v.shape[:2] == (2, 1) and v.shape[-1] > 1 for v in verdicts)


def test_the_discriminators_layers_are_the_published_ones() -> None:
    convs = [m for m in PatchDiscriminator().modules() if isinstance(m, nn.Conv2d)]
    assert [c.out_channels for c in convs] == [16, 32, 64, 128, 1]
    assert [c.stride[0] for c in convs] == [2, 2, 2, 1, 1]
    assert {c.kernel_size for c in convs} == {(4, 4)}


def test_spectral_norm_keeps_every_layers_gain_near_one() -> None:
    torch.manual_seed(0)
    judge = PatchDiscriminator()
    convs = [m for m in judge.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        for conv in convs:
            conv.parametrizations.weight.original.mul_(50)
        for _ in range(30):
            judge(torch.rand(2, 3, 32, 32))
    for conv in convs:
        gain = torch.linalg.matrix_norm(conv.weight.flatten(1), 2).item()
        assert gain == pytest.approx(1, abs=0.05)


def test_without_batch_norm_a_verdict_does_not_depend_on_the_batch() -> None:
    pictures = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    for norm, depends in (("batch", True), ("instance", False), ("none", False)):
        judge = PatchDiscriminator(norm=norm)
        for module in judge.modules():
            # A forward pass in training moves the spectral norm's own vectors.
            if "parametriz" in type(module).__module__ or type(module).__name__ == "_SpectralNorm":
                module.eval()
        alone, beside = judge(pictures[:1]), judge(pictures)[:1]
        assert torch.allclose(alone, beside, atol=1e-5) != depends, norm


def test_eyes_and_mouth_are_cut_where_aligned_faces_have_them() -> None:
    faces = torch.zeros(1, 3, 256, 256)
    for i, (x, y) in enumerate(face_template()):
        faces[:, :, round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3] = i + 1
    assert eyes(faces).shape == (1, 3, 64, 128)
    assert eyes(faces).unique().tolist() == [0, 1, 2]
    assert mouth(faces).shape == (1, 3, 64, 96)
    assert mouth(faces).unique().tolist() == [0, 4, 5]


def test_the_crop_of_the_eyes_has_no_seam() -> None:
    ramp = torch.linspace(-1, 1, 256).expand(1, 3, 256, 256)
    torch.testing.assert_close(eyes(ramp).diff(dim=3), ramp.diff(dim=3)[:, :, :64, :127])


@pytest.mark.parametrize(("x", "y", "counts"), [(195, 130, True), (128, 140, False)])
def test_a_line_counts_as_a_contour_at_a_temple_and_not_at_the_nose(x, y, counts) -> None:
    target = torch.zeros(2, 3, 256, 256)
    lined = target.clone()
    lined[:, :, y - 20 : y + 20, x - 1 : x + 1] = 1
    loss = losses.contour_loss(lined, target, torch.tensor([False, False]))
    assert (loss > 1e-4) == counts
    assert losses.contour_loss(lined, target, torch.tensor([True, True])) == 0


def test_other_light_is_no_contour() -> None:
    target = torch.zeros(1, 3, 256, 256)
    brighter = target + torch.linspace(-0.5, 0.5, 256)
    assert losses.contour_loss(brighter, target, torch.tensor([False])) < 2e-4


def test_parts_are_judged_besides_the_scales_that_count() -> None:
    judges = Discriminators(norm="none", parts_of=0)
    verdicts = judges([torch.zeros(2, 3, 64, 64), None, None])
    assert [v is None for v in verdicts] == [False, True, True, False, False]


def test_parts_may_be_those_of_a_coarser_picture() -> None:
    judges = Discriminators(norm="none", parts_of=1).eval()
    fine, half = torch.zeros(1, 3, 256, 256), torch.rand(1, 3, 128, 128)
    *_, shown_eyes, shown_mouth = judges([fine, half, None])
    torch.testing.assert_close(shown_eyes, judges.parts[0](eyes(half)))
    torch.testing.assert_close(shown_mouth, judges.parts[1](mouth(half)))
