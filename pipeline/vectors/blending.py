"""Vectors of colour match, mask and paste, and of a whole swap of each portrait."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.shipped import SHIPPED_GENERATOR, SHIPPED_IDENTITY_ENCODER
from pipeline.faces.align import Matrix, inverse
from pipeline.faces.face import align_matrix
from pipeline.faces.light import match_light
from pipeline.faces.paste import Blend, face_mask, paste
from pipeline.faces.pyramid import Pyramid
from pipeline.vectors.folder import Folder, numbers
from pipeline.vectors.geometry import pattern
from pipeline.vectors.scenes import Scene, scenes

if TYPE_CHECKING:
    from torch import Tensor

_SMALL = 128  # px, of the faces whose masks are stored
_CUT_OFF = 64  # px, of the faces that reach beyond their picture


class Swapped(NamedTuple):
    """A scene and what PyTorch makes of it with the other portrait's identity."""

    scene: Scene
    matrix: Matrix
    aligned: NDArray[np.uint8]
    embedding: NDArray[np.float32]
    swapped: NDArray[np.uint8]


@functools.cache
def swaps() -> tuple[Swapped, ...]:
    """Each portrait with the other's face, by the shipped weights in PyTorch."""
    aligned, matrices = [], []
    for scene in scenes():
        matrix = np.round(align_matrix(scene.face), 9)
        matrices.append(matrix)
        aligned.append(Pyramid(scene.image).cut(matrix, 256, smooth=True))
    embeddings = [_embedding(face) for face in aligned]
    return tuple(
        Swapped(scene, matrix, face, other, _painted(face, other))
        for scene, matrix, face, other in zip(
            scenes(), matrices, aligned, embeddings[::-1], strict=True
        )
    )


def write_lights(folder: Folder) -> None:
    """A swapped face given the target's colours."""
    cases = []
    for swap in swaps():
        mask = face_mask(_in_face(swap, 256), 256)
        for grey in (False, True):
            aligned = _grey(swap.aligned) if grey else swap.aligned
            name = f"light-{swap.scene.name}{'-grey' if grey else ''}"
            cases.append(
                {
                    "portrait": swap.scene.name,
                    "grey": grey,
                    "mask": folder.array(f"light-mask-{swap.scene.name}", _binary(mask)),
                    "result": folder.array(name, match_light(swap.swapped, aligned, mask)),
                }
            )
    folder.cases(
        "light",
        "`swapped` of portraits.json with the mean, contrast and tone of its `aligned` under the "
        "mask (255 where the soft mask is above 0.5). `grey`: `aligned` is replaced by its green "
        "channel, three times. `result`: 256 x 256 uint8 RGB.",
        {"mean_abs_levels": 1.0, "max_abs_levels": 3.0},
        cases,
    )


def write_masks(folder: Folder) -> None:
    """Soft masks of both faces, with and without the mouth."""
    cases = []
    for swap in swaps():
        mesh = np.round(_in_face(swap, _SMALL), 4)
        for keep_mouth in (False, True):
            name = f"mask-{swap.scene.name}{'-mouth' if keep_mouth else ''}"
            mask = face_mask(mesh, _SMALL, keep_mouth=keep_mouth)
            cases.append(
                {
                    "size": _SMALL,
                    "mesh": folder.array(f"mask-mesh-{swap.scene.name}", mesh.astype(np.float32)),
                    "keep_mouth": keep_mouth,
                    "mask": folder.array(name, mask.astype(np.float32)),
                }
            )
    folder.cases(
        "mask",
        "Soft mask (size x size float32 in [0, 1]) of a face with landmarks `mesh` (468 x 2, in "
        "pixels of the aligned face). Distances to the outline are 5 x 5 chamfer distances.",
        {"mean_abs": 0.005, "max_abs": 0.1},
        cases,
    )


def write_portraits(folder: Folder) -> None:
    """The whole way: picture, five points, aligned face, swapped face, final picture."""
    cases = []
    for swap in swaps():
        name, final = swap.scene.name, swap.scene.image.copy()
        paste(final, swap.swapped, swap.aligned, swap.matrix, swap.scene.face.mesh)
        mesh = swap.scene.face.mesh.astype(np.float32)
        cases.append(
            {
                "portrait": name,
                "image": folder.array(f"portrait-{name}", swap.scene.image),
                "mesh": folder.array(f"portrait-mesh-{name}", mesh),
                "five_points": numbers(swap.scene.face.points, 4),
                "matrix": numbers(swap.matrix, 9),
                "aligned": folder.array(f"portrait-aligned-{name}", swap.aligned),
                "embedding": folder.array(f"portrait-embedding-{name}", swap.embedding),
                "swapped": folder.array(f"portrait-swapped-{name}", swap.swapped),
                "final": folder.array(f"portrait-final-{name}", final),
            }
        )
    folder.cases(
        "portraits",
        "A portrait (`image`, uint8 RGB), the `mesh` and `five_points` found in it, `aligned` by "
        "`matrix`, `swapped` by the shipped generator in PyTorch with `embedding` (of the other "
        "portrait), and `final`, where `swapped` is pasted back. Pixels of `final` that equal "
        "`image` lie outside of the mask and have to stay equal.",
        {
            "five_points_eye_distances": 0.01,
            "aligned_mean_abs_levels": 1.0,
            "swapped_psnr_db": 40.0,
            "final_psnr_db_over_mask": 45.0,
        },
        cases,
    )


def write_edges(folder: Folder) -> None:
    """Faces that reach beyond the picture, as a negative, put back."""
    image, outline = pattern(), _in_face(swaps()[0], _CUT_OFF)
    cases = []
    # A small face over the lower left corner, and a large one beyond all four edges.
    for number, (turn_deg, zoom, middle) in enumerate(((20, 1.4, (6, 36)), (-10, 0.4, (40, 20)))):
        angle = np.deg2rad(turn_deg)
        c, s = zoom * np.cos(angle), zoom * np.sin(angle)
        turn = np.array([[c, -s], [s, c]])
        matrix = np.round(np.column_stack([turn, _CUT_OFF / 2 - turn @ middle]), 9)
        back = inverse(matrix)
        mesh = (outline @ back[:, :2].T + back[:, 2]).astype(np.float32)
        aligned, final = Pyramid(image).cut(matrix, _CUT_OFF, smooth=True), image.copy()
        swapped = np.invert(aligned)
        paste(final, swapped, aligned, matrix, mesh.astype(float), Blend(detail=False))
        cases.append(
            {
                "portrait": f"negative {number}",
                "image": folder.array("pattern", image),
                "mesh": folder.array(f"edge-mesh-{number}", mesh),
                "matrix": numbers(matrix, 9),
                "aligned": folder.array(f"edge-aligned-{number}", aligned),
                "swapped": folder.array(f"edge-swapped-{number}", swapped),
                "final": folder.array(f"edge-final-{number}", final),
            }
        )
    folder.cases(
        "edges",
        "As portraits.json, for a face of 64 px that reaches beyond the picture: `aligned` is "
        "black there and `swapped`, its negative, white. In `final` none of that is seen at the "
        "picture's edge, where the mask falls to 0.",
        {"final_psnr_db_over_mask": 45.0},
        cases,
    )


def _grey(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The green channel as a grey RGB picture."""
    return np.repeat(face[..., 1:2], 3, axis=2)


def _binary(mask: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.where(mask > 0.5, 255, 0).astype(np.uint8)


def _in_face(swap: Swapped, size: int) -> NDArray[np.float64]:
    """The landmarks in pixels of the aligned face of `size` px."""
    matrix = align_matrix(swap.scene.face, size)
    return swap.scene.face.mesh @ matrix[:, :2].T + matrix[:, 2]


def _embedding(aligned: NDArray[np.uint8]) -> NDArray[np.float32]:
    import torch

    from model.checkpoint import load_identity_encoder
    from model.wrap import PictureIdentityEncoder

    encoder = PictureIdentityEncoder(load_identity_encoder(SHIPPED_IDENTITY_ENCODER)).eval()
    with torch.inference_mode():
        found = encoder(_tensor(aligned))
    return np.asarray(found[0].numpy(), np.float32)


def _painted(aligned: NDArray[np.uint8], embedding: NDArray[np.float32]) -> NDArray[np.uint8]:
    import torch

    from model.checkpoint import load_generator
    from model.deploy import DeployedGenerator
    from model.wrap import PictureGenerator

    generator = PictureGenerator(DeployedGenerator(load_generator(SHIPPED_GENERATOR))).eval()
    with torch.inference_mode():
        image = generator(_tensor(aligned), torch.from_numpy(embedding[None]))
    levels = (image[0].permute(1, 2, 0) * 255).round().clamp(0, 255)
    return np.asarray(levels.numpy().astype(np.uint8))


def _tensor(face: NDArray[np.uint8]) -> Tensor:
    """(1, 3, H, W) float32 in [0, 1]."""
    import torch

    return torch.from_numpy(face.transpose(2, 0, 1)[None].astype(np.float32) / 255)
