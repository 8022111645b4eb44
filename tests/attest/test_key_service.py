"""Keys in a key service: a real token, and a service in this process so that one always runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import SIGNER_FOR_URI_SCHEME, CryptoSigner, Signer, SSlibKey

from guiderail.attest.key_service import import_public, service_signer
from guiderail.attest.keys import Keyring, make_key
from guiderail.attest.secrets import PIN, Secrets
from guiderail.core.errors import GuiderailError, InputError, RefusedError
from guiderail_verify.signature import key_id, verify_signature

TOKENS = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
KEYS: dict[str, Any] = {
    "one": ec.generate_private_key(ec.SECP256R1()),
    "ed": Ed25519PrivateKey.generate(),
    "large": ec.generate_private_key(ec.SECP384R1()),
}


class HeldKey(Signer):
    """A key service in this process: it hands out public keys and signs, and nothing else."""

    def __init__(self, name: str, key: SSlibKey) -> None:
        self._inner = CryptoSigner(KEYS[name], key)

    @property
    def public_key(self) -> SSlibKey:
        return self._inner.public_key

    @classmethod
    def import_(cls, name: str) -> tuple[str, SSlibKey]:
        return f"heldkey:{name}", SSlibKey.from_crypto(KEYS[name].public_key())

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Any, secrets_handler: Any = None
    ) -> HeldKey:
        return cls(priv_key_uri.split(":")[1], public_key)

    def sign(self, payload: bytes) -> Any:
        return self._inner.sign(payload)


@pytest.fixture(autouse=True)
def _service() -> Iterator[None]:
    SIGNER_FOR_URI_SCHEME["heldkey"] = HeldKey
    yield
    del SIGNER_FOR_URI_SCHEME["heldkey"]


def nobody() -> Secrets:
    return Secrets({}, None)


def code_of(uri: str) -> str:
    with pytest.raises(GuiderailError) as caught:
        import_public(uri, nobody())
    return caught.value.code


@pytest.mark.parametrize(("name", "size"), [("one", 65), ("ed", 32)])
def test_a_key_of_a_service_signs_what_the_verifier_checks(name: str, size: int) -> None:
    uri, public = import_public(f"heldkey:{name}", nobody())
    signer = service_signer(uri, public, nobody())
    signature = bytes.fromhex(signer.sign(b"content").signature)
    assert len(public) == size
    assert signer.public_key.keyid == key_id(public)
    assert verify_signature(public, signature, b"content")
    assert not verify_signature(public, signature, b"other")


def test_other_kinds_of_keys_are_refused_with_a_reason() -> None:
    with pytest.raises(RefusedError, match="nistp384") as caught:
        import_public("heldkey:large", nobody())
    assert caught.value.code == "keys/kind"


def test_what_names_no_service_is_refused() -> None:
    assert code_of("permit.pem") == "keys/uri"
    assert code_of("nonsense:1") == "keys/uri"
    assert code_of("file2:key") == "keys/uri"
    assert code_of("heldkey:none") == "keys/service"


def test_a_key_file_with_an_address_opens_as_part_of_the_keyring(tmp_path: Path) -> None:
    keyring = Keyring.open(tmp_path)
    made = make_key(
        keyring.folder, "permit", keyring.origin, passphrase=None, uri="heldkey:one", asked=nobody()
    )
    path = keyring.folder / f"permit-{made.id[:16]}.uri"
    assert path.read_text() == "heldkey:one\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_checkpoints_stay_on_ed25519(tmp_path: Path) -> None:
    keyring = Keyring.open(tmp_path)

    def make(uri: str) -> None:
        make_key(
            keyring.folder, "checkpoint", keyring.origin, passphrase=None, uri=uri, asked=nobody()
        )

    with pytest.raises(RefusedError, match="has to be Ed25519") as caught:
        make("heldkey:one")
    assert caught.value.code == "keys/kind"
    make("heldkey:ed")


@pytest.mark.parametrize(
    ("scheme", "module", "extra"),
    [
        ("hsm:2", "pkcs11", "hsm"),
        ("gcpkms:projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
         "google.cloud", "gcpkms"),
        ("awskms:alias/key", "boto3", "awskms"),
        ("azurekms://vault.example/keys/permit/1", "azure.identity", "azurekms"),
        ("hv:permit", "hvac", "vault"),
    ],
)  # fmt: skip
def test_a_missing_library_is_said_with_the_extra_that_brings_it(
    scheme: str, module: str, extra: str
) -> None:
    """In a process where the library cannot be imported, whatever is installed here."""
    code = (
        f"import sys; sys.modules[{module!r}] = None\n"
        "from guiderail.attest.key_service import import_public\n"
        "from guiderail.attest.secrets import Secrets\n"
        "from guiderail.core.errors import InputError\n"
        f"try: import_public({scheme!r}, Secrets({{}}, None))\n"
        "except InputError as error: print(error.code, error.advice)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("keys/extra ")
    assert f"guiderail[{extra}]" in done.stdout


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A SoftHSM token with a key on P-256 under the id 2; a loud skip where there is none."""
    library = next((path for path in TOKENS if Path(path).exists()), None)
    tool = shutil.which("softhsm2-util")
    try:
        import pkcs11
    except ImportError:
        pkcs11 = None
    if library is None or tool is None or pkcs11 is None:
        reason = (
            "NO TOKEN SIGNS in this run: SoftHSM (package softhsm2) or python-pkcs11 is missing"
        )
        if os.environ.get("GUIDERAIL_TOKEN"):  # set where SoftHSM was installed for this run
            pytest.fail(reason)
        pytest.skip(reason)
    (tmp_path / "tokens").mkdir()
    settings = tmp_path / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {tmp_path / 'tokens'}\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(settings))
    monkeypatch.setenv("PYKCS11LIB", library)
    subprocess.run(
        [
            tool,
            "--init-token",
            "--free",
            "--label",
            "guiderail",
            "--pin",
            "1234",
            "--so-pin",
            "0000",
        ],
        check=True,
        capture_output=True,
    )
    make = (
        "import pkcs11, sys\n"
        "from pkcs11.util.ec import encode_named_curve_parameters as curve\n"
        f"token = pkcs11.lib({library!r}).get_token(token_label='guiderail')\n"
        "with token.open(user_pin='1234', rw=True) as session:\n"
        "    parameters = session.create_domain_parameters(\n"
        "        pkcs11.KeyType.EC, {pkcs11.Attribute.EC_PARAMS: curve('secp256r1')}, local=True)\n"
        "    parameters.generate_keypair(id=bytes([2]), label='permit', store=True)\n"
    )
    subprocess.run([sys.executable, "-c", make], check=True)
    return "hsm:2?label=guiderail"


def test_a_real_token_signs_permits_that_a_target_accepts(token: str, tmp_path: Path) -> None:
    """In a process of its own: a PKCS 11 library reads its settings once for each process."""
    code = """
import sys
from pathlib import Path
from guiderail.attest.keys import Keyring
from guiderail.service.key_changes import retire, rotate
from guiderail.service.set_up import new_workspace
from guiderail.service.workspace import open_workspace
from guiderail.service.permit_states import current_state
from guiderail_verify.permit_state import open_state
root = Path(sys.argv[1])
new_workspace(root)
rotate(open_workspace(root), ["permit"], sys.argv[2])
retire(open_workspace(root))
place = open_workspace(root)
envelope = current_state(place, "production", on_demand=True)
keys = place.keyring.trusted
print(len(keys.permit), [len(key) for key in keys.permit.values()])
print(open_state(envelope, keys, environment="production").version)
print(sorted(path.name.split("-")[0] for path in place.keyring.folder.glob("*.uri")))
"""
    environment = {**os.environ, PIN: "1234"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "place"), token],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["1 [65]", "1", "['permit']"]
    wrong = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "wrong"), token],
        capture_output=True, text=True, env={**os.environ, PIN: "9999"}, check=False,
    )  # fmt: skip
    assert wrong.returncode != 0
    assert "9999" not in wrong.stderr


def test_a_token_that_is_not_there_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed")
    monkeypatch.delenv("PYKCS11LIB", raising=False)
    with pytest.raises((RefusedError, InputError)) as caught:
        import_public("hsm:2", nobody())
    assert caught.value.code == "keys/service"
