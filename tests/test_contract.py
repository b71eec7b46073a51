import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.aligned_face import face_template, identity_crop
from model.contract import Align, Checkpoint, Manifest, ModelSpec, Parity
from model.errors import ContractError
from model.manifest import dumps, load_bundle, loads
from model.tensors import signature

NUMBERS = st.floats(-1e6, 1e6)
PARITIES = st.builds(
    Parity,
    st.sampled_from(["executed", "interpreted", "not executed", "skipped"]),
    st.integers(0, 99),
    *[st.none() | NUMBERS] * 5,
)


def specs(format: str, pictures: str, parity: Parity) -> ModelSpec:
    border = signature("generator", format, pictures)
    name = f"generator-fp32.{format}"
    return ModelSpec("generator", name, format, "fp32", "00", 7, *border, parity)


MANIFESTS = st.builds(
    Manifest,
    name=st.text(),
    version=st.text(),
    created=st.text(),
    checkpoint=st.builds(Checkpoint, st.text(), st.text()),
    identity_checkpoint=st.none() | st.builds(Checkpoint, st.text(), st.text()),
    tools=st.dictionaries(st.text(), st.text()),
    align=st.builds(Align, st.integers(1, 999), st.lists(st.tuples(NUMBERS, NUMBERS)).map(tuple)),
    identity=st.integers(64, 512).map(identity_crop),
    models=st.lists(
        st.builds(
            specs,
            st.sampled_from(["onnx", "tflite", "mlpackage"]),
            st.sampled_from(["float", "uint8"]),
            PARITIES,
        )
    ).map(tuple),
)


def a_manifest() -> Manifest:
    models = (specs("onnx", "float", Parity("executed", 8, 101.5, 1.0, 1.0, 1e-5, 0.9999)),)
    return Manifest(
        "m", "1", "now", Checkpoint("c.pt", "ab"), None, {"torch": "2"},
        Align(256, face_template()), identity_crop(), models,
    )  # fmt: skip


@given(MANIFESTS)
def test_a_manifest_survives_the_way_through_json(manifest: Manifest) -> None:
    assert loads(dumps(manifest)) == manifest


@pytest.mark.parametrize("schema", [0, 2, "1", None])
def test_an_unknown_schema_is_refused(schema: object) -> None:
    data = json.loads(dumps(a_manifest())) | {"schema": schema}
    with pytest.raises(ContractError, match="this version reads schema 1"):
        loads(json.dumps(data))


@pytest.mark.parametrize("key", ["models", "align", "checkpoint", "name"])
def test_a_missing_key_is_named(key: str) -> None:
    data = json.loads(dumps(a_manifest()))
    del data[key]
    with pytest.raises(ContractError, match=f"lacks '{key}'"):
        loads(json.dumps(data))


def test_a_value_of_the_wrong_type_is_named_with_its_place() -> None:
    data = json.loads(dumps(a_manifest()))
    data["models"][0]["inputs"][0]["shape"][1] = "three"
    with pytest.raises(ContractError, match=r"manifest.models\[0\].inputs\[0\].shape\[1\]"):
        loads(json.dumps(data))


def test_keys_from_the_future_are_ignored() -> None:
    data = json.loads(dumps(a_manifest())) | {"colour": "green"}
    assert loads(json.dumps(data)) == a_manifest()


@pytest.mark.parametrize("name", ["../evil.onnx", "/etc/passwd", "a/b.onnx", ".hidden", ""])
def test_a_file_name_cannot_lead_out_of_the_bundle(name: str) -> None:
    spec = dataclasses.replace(a_manifest().models[0], file=name)
    with pytest.raises(ContractError, match="not a plain file name"):
        loads(dumps(dataclasses.replace(a_manifest(), models=(spec,))))


@pytest.mark.parametrize("text", ["", "[]", "null", '"x"', "{", "1"])
def test_text_that_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(ContractError):
        loads(text)


def test_a_bundle_lacking_a_file_is_refused(tmp_path) -> None:
    (tmp_path / "manifest.json").write_text(dumps(a_manifest()))
    with pytest.raises(ContractError, match=r"lacks generator-fp32\.onnx"):
        load_bundle(tmp_path)


@pytest.mark.parametrize(("size", "crop"), [(256, (26, 230)), (128, (13, 115)), (64, (7, 57))])
def test_the_identity_crop_is_the_published_one(size: int, crop: tuple[int, int]) -> None:
    assert (identity_crop(size).start, identity_crop(size).stop) == crop


def test_the_template_is_arcfaces_inside_the_identity_crop() -> None:
    crop, (x, y) = identity_crop(), face_template()[2]
    scale = crop.size / (crop.stop - crop.start)
    assert ((x - crop.start) * scale, (y - crop.start) * scale) == pytest.approx((56.0252, 71.7366))


def test_a_tensor_of_the_wrong_layout_is_refused_with_what_was_expected() -> None:
    target = signature("generator", "tflite").inputs[0]
    with pytest.raises(ContractError, match=r"\(1, 3, 256, 256\).*expects \(1, 256, 256, 3\) NHWC"):
        target.check(np.zeros((1, 3, 256, 256), np.float32), "generator.tflite")


def test_a_tensor_with_nan_is_refused() -> None:
    embedding = signature("generator", "onnx").inputs[1]
    with pytest.raises(ContractError, match="not finite"):
        embedding.check(np.full((1, 512), np.nan, np.float32), "generator.onnx")
