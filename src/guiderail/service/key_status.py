"""What the keys of a workspace are, where they are, and whether a passphrase protects them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from guiderail.attest.key_files import (
    is_protected,
    locked,
    private_files,
    protect,
    read_private,
    write_private,
)
from guiderail.attest.key_versions import signing_now
from guiderail.attest.keys import private_file, read_chain_file, read_trusted
from guiderail.core.errors import InputError, RefusedError
from guiderail.service.workspace import Workspace
from guiderail_verify.errors import VerifyError
from guiderail_verify.key_chain import LARGEST_CHAIN, follow, read_chain
from guiderail_verify.trusted_keys import TrustedKeys


def show(workspace: Workspace) -> dict[str, Any]:
    """Every key with its role, id, and where its private part is. No passphrase is needed."""
    folder, keys = workspace.home / "keys", read_trusted(workspace.home)
    rows: list[dict[str, Any]] = []
    for role, id_, public in signing_now(keys):
        path = private_file(folder, role, id_)
        rows.append(
            {
                "role": role,
                "id": id_,
                "kind": "Ed25519" if len(public) == 32 else "ECDSA P-256",
                "state": "signs",
                "kept_in": _kept_in(path),
                "protected": _protected(path),
                "counts_for": None,
            }
        )
    rows += [
        {
            "role": key.role,
            "id": key.id,
            "kind": "Ed25519" if len(key.public) == 32 else "ECDSA P-256",
            "state": key.why,
            "kept_in": None,
            "protected": None,
            "counts_for": key.until,
        }
        for key in keys.ended
    ]
    return {
        "origin": keys.origin,
        "version": keys.version,
        "keys": rows,
        "public_file": str(folder / "public.json"),
        "notices": unprotected_notice(workspace),
    }


def unprotected_notice(workspace: Workspace) -> list[str]:
    """A sentence where private keys lie in the clear; empty where none does."""
    folder = workspace.home / "keys"
    try:
        open_ = [path.name for path in private_files(folder) if _protected(path) is False]
    except OSError as error:
        return [f"Whether the keys in {folder} are encrypted is not known ({error.strerror})."]
    if not open_:
        return []
    return [
        f"Not encrypted: {', '.join(open_)} in {folder}. Whoever reads these files, a backup "
        "included, signs as this log. `guiderail keys protect` sets a passphrase."
    ]


def protect_keys(workspace: Workspace) -> dict[str, Any]:
    """Set or change the passphrase of every key file: of all of them or of none."""
    folder = workspace.home / "keys"
    _refuse_no_keys(folder)
    asked = workspace.secrets
    with locked(folder):
        pems = [path for path in private_files(folder) if path.suffix == ".pem"]
        protected = any(is_protected(path) for path in pems)
        if protected:
            asked.passphrase()
        old = asked.copy()
        passphrase = asked.new_passphrase(protected=protected)
        files = protect(folder, old, passphrase)
    workspace.forget_keyring()
    return {"files": [str(path) for path in files], "protected": True, "changed": protected}


def unprotect_keys(workspace: Workspace) -> dict[str, Any]:
    """Write every key file unencrypted again, readable by the owner only."""
    folder = workspace.home / "keys"
    _refuse_no_keys(folder)
    with locked(folder):
        files = protect(folder, workspace.secrets, None)
    workspace.forget_keyring()
    return {"files": [str(path) for path in files], "protected": False, "changed": True}


def chain_of(workspace: Workspace) -> bytes:
    """The chain of keys as targets take it. Raises InputError where there is none yet."""
    found = read_chain_file(workspace.home)
    if found is None:
        raise InputError(
            "There is no chain of keys yet: they were never changed.",
            advice="Targets need keys/public.json only.",
            code="keys/no-chain",
        )
    return found


def accept_chain(pinned: Path, chain: Path) -> TrustedKeys:
    """Bring a pinned file of public keys up to date, if the chain leads there from it.

    Raises InputError where one of them cannot be read, RefusedError `keys/...` where the chain does
    not continue what is pinned; the file then stays as it is.
    """
    try:
        data = read_private(pinned, 0o644)
        if chain.stat().st_size > LARGEST_CHAIN:
            raise VerifyError("keys/bad-chain", "The file is too large for a chain of keys.")
        keys = TrustedKeys.from_json(data)
        newest = follow(keys, read_chain(chain.read_bytes()))
    except OSError as error:
        raise InputError(
            f"{error.filename} cannot be read: {error.strerror}.",
            advice="Name the file of pinned keys, and the chain that guiderail keys chain prints.",
            code="keys/missing",
        ) from error
    except VerifyError as error:
        raise RefusedError(
            f"The pinned keys stay as they are: {error.reason}",
            advice="Ask the operator for the chain again. If it still does not fit, pin the new "
            "public keys by hand, after comparing them by another way.",
            code=error.code,
        ) from error
    if newest.to_json() != data:
        write_private(pinned, newest.to_json(), 0o644)
    return newest


def _kept_in(path: Path) -> str:
    try:
        if path.suffix == ".uri":
            return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return f"{path} (unreadable)"
    return str(path)


def _protected(path: Path) -> bool | None:
    """None for a key that a key service holds, and where the file cannot be read."""
    if path.suffix == ".uri":
        return None
    try:
        return is_protected(path)
    except OSError:
        return None


def _refuse_no_keys(folder: Path) -> None:
    if not private_files(folder):
        raise InputError(
            f"There are no key files in {folder}.",
            advice="Start a workspace with guiderail init --workspace.",
            code="keys/missing",
        )
