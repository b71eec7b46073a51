"""A C2PA manifest, signed with a certificate that the test makes for itself."""

import datetime
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.errors import BadInput
from pipeline.media.credentials import Credentials, check, sign
from pipeline.media.label import SOURCE_TYPE

c2pa = pytest.importorskip("c2pa")
x509 = pytest.importorskip("cryptography.x509")


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    """A signer below an authority of its own, as C2PA wants it."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    folder = tmp_path_factory.mktemp("signer")
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in ("authority", "signer")]
    names = [
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        for name in ("test authority", "test signer")
    ]
    now = datetime.datetime.now(datetime.UTC)
    chain = []
    for index, (key, name) in enumerate(zip(keys, names, strict=True)):
        usage = dict.fromkeys(
            ["content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "encipher_only", "decipher_only"], False
        )  # fmt: skip
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(names[0])
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(index == 0, None), critical=True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=index == 1, key_cert_sign=index == 0, crl_sign=index == 0,
                    **usage,
                ),
                critical=True,
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key()), False
            )
        )  # fmt: skip
        if index == 1:
            purpose = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION])
            builder = builder.add_extension(purpose, critical=False)
        signed = builder.sign(keys[0], hashes.SHA256())
        chain.insert(0, signed.public_bytes(serialization.Encoding.PEM))
    (folder / "chain.pem").write_bytes(b"".join(chain))
    (folder / "key.pem").write_bytes(
        keys[1].private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return Credentials(folder / "chain.pem", folder / "key.pem")


def test_a_signed_photo_says_what_made_it(credentials: Credentials, tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    check(credentials, path)
    sign(path, credentials)
    with path.open("rb") as file, c2pa.Reader("image/png", file) as reader:
        stored = json.loads(reader.json())
    (action,) = stored["manifests"][stored["active_manifest"]]["assertions"][0]["data"]["actions"]
    assert action["digitalSourceType"] == SOURCE_TYPE
    # The certificate is the test's own; nothing else may be wrong.
    assert {s["code"] for s in stored["validation_status"]} == {"signingCredential.untrusted"}
    np.testing.assert_array_equal(np.asarray(Image.open(path)), pixels)


def test_a_key_that_does_not_fit_is_refused_before_any_work(credentials: Credentials) -> None:
    with pytest.raises(BadInput, match="cannot sign"):
        check(Credentials(credentials.certificate, credentials.certificate))


def test_a_missing_certificate_is_refused_in_words(credentials: Credentials) -> None:
    with pytest.raises(BadInput, match="No such file"):
        check(Credentials(Path("nowhere.pem"), credentials.key))


def test_an_unknown_algorithm_is_refused_in_words(credentials: Credentials) -> None:
    with pytest.raises(BadInput, match="expected one of ES256"):
        check(Credentials(credentials.certificate, credentials.key, "ROT13"))


def test_a_container_without_manifests_is_refused_before_any_work(
    credentials: Credentials,
) -> None:
    with pytest.raises(BadInput, match=r"out\.mkv cannot hold"):
        check(credentials, Path("out.mkv"))


def test_a_file_that_cannot_be_signed_stays_as_it_was(
    credentials: Credentials, tmp_path: Path
) -> None:
    path = tmp_path / "out.jpg"
    path.write_bytes(b"no picture")
    with pytest.raises(BadInput, match="could not be signed"):
        sign(path, credentials)
    assert path.read_bytes() == b"no picture"
    assert len(list(tmp_path.iterdir())) == 1
