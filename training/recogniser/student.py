"""The student in training: forward passes at any picture size, the teacher's space, the loss."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from model.mobilefacenet import MobileFaceNet

STAGES = ("conv1", "conv2_dw", "conv_23", "conv_3", "conv_34")  # from the view to 1/8 of its size
MAP_SIZE = 7  # px of the last feature map at 112 px; the last depthwise kernel has this size
SHARPNESS = 16.0  # cosines are multiplied by it before the softmax over people
PEOPLE_WEIGHT = 0.1


def embed(network: MobileFaceNet, view: Tensor) -> Tensor:
    """`MobileFaceNet.forward` for any picture size. Small pictures make training cheaper.

    Args:
        network: the student.
        view: (N, 3, S, S) NCHW float32 RGB in [-1, 1]; at 112 px the result is `forward`'s.

    Returns:
        Embedding, (N, 512) float32, unit L2 norm.
    """
    return finish(network, early_features(network, view)[-1])


def early_features(network: MobileFaceNet, view: Tensor, done: int = 0) -> list[Tensor]:
    """The maps after each of `STAGES`, from 1/2 to 1/8 of the view; arguments as `embed`.

    Args:
        network: the student.
        view: as in `embed`, or with `done` the map after that many stages.
        done: number of stages that `view` has passed.
    """
    maps = [view]
    for name in STAGES[done:]:
        maps.append(getattr(network, name)(maps[-1]))
    return maps[1:]


def late_features(network: MobileFaceNet, x: Tensor) -> list[Tensor]:
    """The maps at 1/8 and 1/16 of the view, from the last of the `early_features`."""
    at8 = network.conv_4(x)
    return [at8, network.conv_6_sep(network.conv_5(network.conv_45(at8)))]


def finish(network: MobileFaceNet, x: Tensor) -> Tensor:
    """The embedding, from the last of the `early_features`."""
    return read(network, late_features(network, x)[-1])


def read(network: MobileFaceNet, x: Tensor) -> Tensor:
    """The embedding, from the last of the `late_features`."""
    if x.shape[-1] != MAP_SIZE:
        x = F.interpolate(x, size=(MAP_SIZE, MAP_SIZE), mode="bilinear")
    x = network.conv_6_dw(x)
    return F.normalize(network.bn(network.linear(x.flatten(1))).float())


def teacher_map(teacher_size: int, student_size: int, seed: int = 0) -> Tensor:
    """A fixed isometry from the teacher's space into the student's, (teacher_size, student_size).

    Its rows are orthonormal, so the cosine of two embeddings is the same before and after.
    """
    noise = torch.randn(student_size, teacher_size, generator=torch.Generator().manual_seed(seed))
    return torch.linalg.qr(noise.double()).Q.T.float().contiguous()


def person_centres(targets: Tensor, people: Tensor) -> Tensor:
    """The teacher's mean direction for each person, (P, D) unit norm.

    Args:
        targets: (N, D) unit norm.
        people: (N,) int64, who each row shows, 0..P-1.
    """
    centres = torch.zeros(int(people.max()) + 1, targets.shape[1])
    return F.normalize(centres.index_add_(0, people, targets))


def loss(
    embedding: Tensor, target: Tensor, people: Tensor, centres: Tensor,
    plain: Tensor,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The loss, and the mean cosine to the teacher's embeddings.

    The cosine term asks for the teacher's embedding. The softmax over the centres of all people
    asks for an embedding that is nearest to its own person, as verification does.

    Args:
        embedding: the student's, (N, D) unit norm.
        target: the teacher's in the student's space, (N, D) unit norm.
        people: (N,) int64, rows of `centres`.
        centres: (P, D) unit norm.
        plain: (N,) bool, rows that show one person; the softmax term leaves out the others.
    """
    cosine = (embedding * target).sum(1).mean()
    confusion = F.cross_entropy(SHARPNESS * embedding @ centres.T, people, reduction="none")
    return 1 - cosine + PEOPLE_WEIGHT * (confusion * plain).mean(), cosine
