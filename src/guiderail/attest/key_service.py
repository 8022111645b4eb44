"""Keys that a key service or a hardware token holds, through the signers of securesystemslib.

Such a key is named by a URI; the private key never leaves the service. The libraries of the
services are extras and are loaded only when such a key signs.
"""

from __future__ import annotations

from typing import Any, Final
from urllib import parse

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.exceptions import UnsupportedLibraryError
from securesystemslib.signer import (  # type: ignore[attr-defined] # it re-exports without __all__
    SIGNER_FOR_URI_SCHEME,
    Signer,
    SSlibKey,
)

from guiderail.attest.secrets import Secrets
from guiderail.core.errors import GuiderailError, InputError, RefusedError
from guiderail_verify.signature import ED25519_SIZE

SERVICES: Final = {
    "hsm": "hsm",
    "gcpkms": "gcpkms",
    "awskms": "awskms",
    "azurekms": "azurekms",
    "hv": "vault",
}
"""URI scheme -> the extra that brings its library."""


def import_public(uri: str, asked: Secrets) -> tuple[str, bytes]:
    """Ask the service for the public key: the URI to keep, and the key's bytes.

    Raises InputError `keys/uri` for a URI that no signer knows, `keys/extra` where a library is not
    installed, RefusedError `keys/service` where the service refuses or the key is of a kind that
    nobody here checks.
    """
    found: tuple[str, Any] = _asking(uri, lambda: _import(uri, asked))
    return found[0], public_bytes(found[1])


def service_signer(uri: str, public: bytes, asked: Secrets) -> Signer:
    """What signs with the key at a URI. Raises as `import_public` does."""
    key = described(public)
    signer: Signer = _asking(uri, lambda: Signer.from_priv_key_uri(uri, key, asked.pin))
    return signer


def described(public: bytes) -> SSlibKey:
    """The key as securesystemslib describes it."""
    if len(public) == ED25519_SIZE:
        return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(public))
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
    return SSlibKey.from_crypto(point, scheme="ecdsa-sha2-nistp256")


def public_bytes(key: SSlibKey) -> bytes:
    """32 bytes of Ed25519 or 65 of P-256. Raises RefusedError `keys/kind` for another kind."""
    if key.scheme == "ed25519":
        return bytes.fromhex(key.keyval["public"])
    if key.scheme == "ecdsa-sha2-nistp256":
        point = serialization.load_pem_public_key(key.keyval["public"].encode())
        if isinstance(point, ec.EllipticCurvePublicKey) and isinstance(point.curve, ec.SECP256R1):
            return point.public_bytes(
                serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
            )
    raise RefusedError(
        f"The key is of the kind {key.scheme}, and targets check Ed25519 and ECDSA on P-256 with "
        "SHA-256 only.",
        advice="Make a key of one of these kinds in the key service.",
        code="keys/kind",
    )


def _import(uri: str, asked: Secrets) -> tuple[str, Any]:
    scheme, rest = uri.split(":", 1)
    signer: Any = SIGNER_FOR_URI_SCHEME[scheme]
    if scheme == "hsm":
        address = parse.urlparse(uri)
        token = dict(parse.parse_qsl(address.query)).get("label")
        keyid = int(address.path) if address.path else None
        found = signer.import_(keyid, token, asked.pin)
    elif scheme == "azurekms":
        vault, name = rest.removeprefix("//").split("/", 1)
        found = signer.import_(vault.split(".", 1)[0], name.removeprefix("keys/").split("/", 1)[0])
    else:
        found = signer.import_(rest)
    uri_to_keep, key = found
    return str(uri_to_keep), key


def _asking(uri: str, ask: Any) -> Any:
    scheme = uri.split(":", 1)[0]
    signer = SIGNER_FOR_URI_SCHEME.get(scheme) if ":" in uri else None
    if not hasattr(signer, "import_"):
        raise InputError(
            f"{uri!r} does not name a key in a key service.",
            advice=f"Write it as SCHEME:KEY, with one of the schemes {', '.join(SERVICES)}.",
            code="keys/uri",
        )
    try:
        return ask()
    except GuiderailError:
        raise
    except (UnsupportedLibraryError, ImportError) as error:
        extra = SERVICES.get(scheme, scheme)
        raise InputError(
            f"The library for keys of the kind {scheme}: is not installed.",
            advice=f"Install it with: pip install 'guiderail[{extra}]'.",
            code="keys/extra",
        ) from error
    except Exception as error:
        raise RefusedError(
            f"The key {uri} cannot be used: {type(error).__name__}: {error!s:.200}",
            advice="Check its name, your access to it, and PYKCS11LIB or the service's settings.",
            code="keys/service",
        ) from error
