import numpy as np
import pytest

from model.errors import ContractError
from model.tensors import signature
from pipeline.tensor import to_image, to_tensor, to_unit

FACE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
BORDERS = [("onnx", "float"), ("tflite", "float"), ("tflite", "uint8"), ("mlpackage", "uint8")]


@pytest.mark.parametrize(("format", "pictures"), BORDERS)
def test_a_picture_survives_the_way_through_every_kind_of_tensor(format, pictures) -> None:
    spec = signature("generator", format, pictures, face_size=64).inputs[0]
    np.testing.assert_array_equal(to_image(to_tensor(FACE, spec), spec), FACE)


@pytest.mark.parametrize(("format", "pictures"), BORDERS)
def test_every_kind_of_tensor_means_the_same_unit_picture(format, pictures) -> None:
    spec = signature("generator", format, pictures, face_size=64).inputs[0]
    unit = to_unit(to_tensor(FACE, spec), spec)
    np.testing.assert_allclose(unit, FACE.astype(np.float32) / 255, atol=1e-7)


def test_channels_stay_in_their_place_in_nchw() -> None:
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 255
    tensor = to_tensor(red, signature("generator", "onnx", face_size=64).inputs[0])
    assert tensor[0, 0].min() == 1
    assert tensor[0, 1:].max() == 0


@pytest.mark.parametrize("shape", [(64, 64), (64, 64, 4), (63, 64, 3)])
def test_a_picture_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    spec = signature("generator", "onnx", face_size=64).inputs[0]
    with pytest.raises(ContractError):
        to_tensor(np.zeros(shape, np.uint8), spec)
