"""A certificate made by this machine, so that a phone in the same network gets HTTPS.

Browsers give the camera, threads and offline use to secure pages only. The browser shows a warning
once, because nobody vouches for the certificate.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from model.errors import BackendUnavailable, install
from model.files import write_atomically

if TYPE_CHECKING:
    from cryptography import x509

_DAYS = 365
_LEAST_DAYS = 7  # that are left, or a new one is made


def server_context(addresses: list[str]) -> ssl.SSLContext:
    """TLS with a certificate for `addresses`, made once and kept in the user's cache.

    The same certificate each time means that a phone asks once.

    Raises:
        BackendUnavailable: the package cryptography is not installed.
        OSError: the cache cannot be written to.
    """
    path = cache_folder() / "certificate.pem"
    try:
        fits = _fits(path, addresses)
        if not fits:
            pem = _made(addresses)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, lambda beside: beside.write_bytes(pem), private=True)
    except ImportError:
        raise BackendUnavailable(
            f"HTTPS needs cryptography, which is not installed. {install('web')}"
        ) from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def cache_folder() -> Path:
    """Where the certificate is kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mobilefsgan" / "web"


def _fits(path: Path, addresses: list[str]) -> bool:
    """Whether the certificate at `path` is valid for long enough and names all of `addresses`."""
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    lasts = found.not_valid_after_utc - datetime.now(UTC) > timedelta(days=_LEAST_DAYS)
    return lasts and set(map(_name, addresses)) <= set(names)


def _made(addresses: list[str]) -> bytes:
    """Key and certificate, PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    me = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "MobileFSGAN web demo")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(me)
        .issuer_name(me)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # clocks differ
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName(list(map(_name, addresses))), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return secret + signed.public_bytes(serialization.Encoding.PEM)


def _name(address: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)
