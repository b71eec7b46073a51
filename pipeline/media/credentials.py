"""Sign a result with a C2PA manifest (content credentials), when a certificate is given."""

from __future__ import annotations

import importlib.util
import json
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import BackendUnavailable, BadInput, install
from model.files import new_beside, put_in_place
from model.untrusted import read_named
from pipeline.media.label import SOURCE_TYPE, TOOL

_ALGORITHMS = ("ES256", "ES384", "PS256", "ED25519")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs.

    Attributes:
        certificate: PEM file, the signer's certificate first, then those above it.
        key: PEM file with its private key.
        algorithm: ES256, ES384, PS256 or ED25519; it belongs to the key.
    """

    certificate: Path
    key: Path
    algorithm: str = "ES256"


def check(credentials: Credentials, output: Path | None = None) -> None:
    """Refuse what cannot sign, before any work is done.

    Args:
        credentials: tried out: certificate, key and algorithm have to fit.
        output: the file to be signed, or None where there are several.

    Raises:
        BackendUnavailable: c2pa-python is not installed.
        BadInput: a file cannot be read, they do not fit, or `output` cannot hold a manifest.
    """
    if importlib.util.find_spec("c2pa") is None:
        raise BackendUnavailable(
            f"signing needs c2pa-python, which is not installed. {install('swap')}"
        )
    if output is not None and output.suffix.lower().lstrip(".") not in _formats():
        raise BadInput(f"{output.name} cannot hold a C2PA manifest; give a .jpg, .png or .mp4")
    _signer(credentials).close()


def sign(path: Path, credentials: Credentials) -> None:
    """Put a manifest into `path` that says a trained model made part of it.

    Raises:
        BadInput: it cannot be signed; the file stays as it was, without a manifest.
    """
    import c2pa

    format = mimetypes.guess_type(path.name)[0] or path.suffix.lstrip(".")
    beside = None
    try:
        beside = new_beside(path)
        with (
            _signer(credentials) as signer,
            c2pa.Builder(_manifest(path.name, format)) as builder,
            path.open("rb") as source,
            beside.open("w+b") as signed,
        ):
            builder.sign(signer, format, source, signed)
        put_in_place(beside, path)
    except (c2pa.C2paError, OSError) as error:
        raise BadInput(f"{path} was written but could not be signed: {error}") from None
    finally:
        if beside is not None:
            beside.unlink(missing_ok=True)


def _signer(credentials: Credentials) -> Any:
    import c2pa

    if credentials.algorithm not in _ALGORITHMS:
        raise BadInput(
            f"unknown signing algorithm {credentials.algorithm}; "
            f"expected one of {', '.join(_ALGORITHMS)}"
        )
    try:
        certificate, key = map(read_named, (credentials.certificate, credentials.key))
        algorithm = credentials.algorithm.lower().encode()
        return c2pa.Signer.from_info(c2pa.C2paSignerInfo(algorithm, certificate, key, None))
    except c2pa.C2paError as error:
        raise BadInput(
            f"{credentials.certificate.name} and {credentials.key.name} cannot sign: {error}. "
            f"Expected a PEM chain and its PKCS#8 key for {credentials.algorithm}"
        ) from None


def _formats() -> list[str]:
    import c2pa

    return list(c2pa.Builder.get_supported_mime_types())


def _manifest(title: str, format: str) -> str:
    # The first action has to be "created" or "opened"; "opened" would have to refer to the target,
    # whose owner may not want that.
    action = {
        "action": "c2pa.created",
        "digitalSourceType": SOURCE_TYPE,
        "description": "A photo or video in which a face was swapped.",
        "softwareAgent": {"name": TOOL},
    }
    return json.dumps(
        {
            "claim_generator_info": [{"name": TOOL}],
            "title": title,
            "format": format,
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
        }
    )
