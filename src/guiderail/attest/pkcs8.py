"""Private keys as PKCS 8 files (RFC 5958), encrypted by a passphrase (RFC 8018, PBES2) or not.

`cryptography` reads such files with any key derivation and writes them with 2048 rounds of PBKDF2
only: one try costs next to nothing, and whoever has the file can try for as long as they like. So
the envelope is written here, around its ciphers: scrypt with N = 2**14, r = 8, p = 1 (RFC 7914, 16
MiB for each try) and AES-256-CBC, as `openssl pkcs8 -topk8 -scrypt` does. `openssl` opens the
files.
"""

from __future__ import annotations

import base64
import os
from textwrap import wrap
from typing import Final

from cryptography.hazmat.primitives import padding, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

ENCRYPTED: Final = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"

_N, _R, _P = 1 << 14, 8, 1
_PBES2 = bytes.fromhex("2a864886f70d01050d")
_SCRYPT = bytes.fromhex("2b06010401da47040b")
_AES_256_CBC = bytes.fromhex("60864801650304012a")
_INTEGER, _OCTETS, _OID, _SEQUENCE = 0x02, 0x04, 0x06, 0x30


def to_pem(key: Ed25519PrivateKey, passphrase: str | None) -> bytes:
    """The content of a key file; None writes it unencrypted."""
    form = serialization.PrivateFormat.PKCS8
    clear = serialization.NoEncryption()
    if passphrase is None:
        return key.private_bytes(serialization.Encoding.PEM, form, clear)
    der = _encrypted(key.private_bytes(serialization.Encoding.DER, form, clear), passphrase)
    lines = wrap(base64.b64encode(der).decode("ascii"), 64)
    end = ENCRYPTED.replace(b"BEGIN", b"END")
    return b"\n".join((ENCRYPTED, *(line.encode("ascii") for line in lines), end, b""))


def _encrypted(clear: bytes, passphrase: str) -> bytes:
    salt, start = os.urandom(16), os.urandom(16)
    key = Scrypt(salt=salt, length=32, n=_N, r=_R, p=_P).derive(passphrase.encode("utf-8"))
    padder = padding.PKCS7(128).padder()
    cipher = Cipher(algorithms.AES(key), modes.CBC(start)).encryptor()
    hidden = cipher.update(padder.update(clear) + padder.finalize()) + cipher.finalize()
    numbers = (
        _der(_INTEGER, number.to_bytes(number.bit_length() // 8 + 1)) for number in (_N, _R, _P)
    )
    derivation = _der(
        _SEQUENCE,
        _der(_OID, _SCRYPT),
        _der(_SEQUENCE, _der(_OCTETS, salt), *numbers),
    )
    scheme = _der(_SEQUENCE, _der(_OID, _AES_256_CBC), _der(_OCTETS, start))
    algorithm = _der(_SEQUENCE, _der(_OID, _PBES2), _der(_SEQUENCE, derivation, scheme))
    return _der(_SEQUENCE, algorithm, _der(_OCTETS, hidden))


def _der(tag: int, *parts: bytes) -> bytes:
    """One element of DER (X.690); contents shorter than 256 bytes, as all here are."""
    content = b"".join(parts)
    length = bytes([len(content)]) if len(content) < 128 else bytes([0x81, len(content)])
    return bytes([tag]) + length + content
