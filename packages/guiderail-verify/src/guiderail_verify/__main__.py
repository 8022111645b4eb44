"""`guiderail-verify PACK`: check an audit pack offline, without the product that wrote it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from guiderail_verify.audit import Audit, verify_pack
from guiderail_verify.canonical import encode_base64
from guiderail_verify.checks import Check
from guiderail_verify.cosignature import WitnessKey
from guiderail_verify.errors import VerifyError
from guiderail_verify.fingerprint import read_fingerprint
from guiderail_verify.held_note import mended
from guiderail_verify.note import LARGEST_NOTE, NoteKey, parse_checkpoint
from guiderail_verify.trusted_keys import TrustedKeys
from guiderail_verify.witness_policy import WitnessPolicy, parse_policy

VERIFIED: Final = 0
NOT_VERIFIED: Final = 1
UNUSABLE: Final = 4
_SHOWN: Final = 20
_POLICY: Final = "witness/bad-policy"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(UNUSABLE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        key = None if options.key is None else read_key(options.key)
        older = None if options.checkpoint is None else _checkpoint(options.checkpoint)
        witnesses = _witnesses(options.witness, options.quorum, options.witness_policy)
        if options.fingerprint is not None:
            read_fingerprint(options.fingerprint)
        audit = verify_pack(
            options.pack,
            key=key,
            older=older,
            fingerprint=options.fingerprint,
            witnesses=witnesses,
        )
    except (VerifyError, OSError) as error:
        reason = error.reason if isinstance(error, VerifyError) else str(error)
        sys.stderr.write(_plain(f"{options.pack} cannot be checked: {reason}") + "\n")
        return UNUSABLE
    if options.json:
        sys.stdout.write(json.dumps(to_json(audit), indent=2) + "\n")
    else:
        sys.stdout.writelines(_plain(line) + "\n" for line in lines(audit))
    return VERIFIED if audit.ok else NOT_VERIFIED


def read_key(text: str) -> NoteKey:
    """A verifier key, or the name of a file that holds one, alone or as `public.json`.

    Raises VerifyError `key/unusable` for anything else.
    """
    try:
        return NoteKey.from_text(text)
    except VerifyError as error:
        content = _read(Path(text), "key/unusable", error.reason)
    try:
        return NoteKey.from_text(content.decode("utf-8").strip())
    except (VerifyError, UnicodeDecodeError):
        keys = TrustedKeys.from_json(content).checkpoint
    if not keys:
        raise VerifyError("key/unusable", f"{text} holds no checkpoint key.")
    return keys[-1]  # while keys change there are two; each leads to the other by the chain


def to_json(audit: Audit) -> dict[str, object]:
    """The answer of `--json`."""
    return {
        "verified": audit.ok,
        "gone": audit.gone,
        "key": "given" if audit.pinned else "from the pack",
        "compared_with_outside": audit.compared,
        "checkpoint": None
        if audit.checkpoint is None
        else {
            "origin": audit.checkpoint.origin,
            "size": audit.checkpoint.size,
            "root": encode_base64(audit.checkpoint.root),
        },
        "checks": [
            {
                "id": check.id,
                "title": check.title,
                "ok": check.ok,
                "looked_at": check.looked_at,
                "unit": check.unit,
                "note": check.note,
                "failures": check.failures,
            }
            for check in audit.checks
        ],
    }


def lines(audit: Audit) -> list[str]:
    """One line for each check, what differs below it, and the sum."""
    found = [line for check in audit.checks for line in _check_lines(check)]
    failed = [check.id for check in audit.checks if not check.ok]
    if failed:
        differences = sum(len(check.failures) for check in audit.checks)
        return [*found, "", f"NOT VERIFIED: {differences} differences in {', '.join(failed)}."]
    signed = audit.checkpoint
    if signed is not None:
        root = encode_base64(signed.root)
        found += ["", f"The log {signed.origin} has {signed.size} entries; its root is {root}."]
    if audit.gone:
        found.append(
            f"Not everything is there to be verified: {audit.gone} entries were removed or have "
            "lost what somebody wrote, as the line `gone` says."
        )
    rest = ", as far as it is still there" if audit.gone else ""
    if audit.pinned and audit.compared:
        return [
            *found,
            f"VERIFIED with the keys that you gave and what was remembered outside{rest}.",
        ]
    if audit.pinned:
        return [
            *found,
            f"VERIFIED with the key that you gave{rest}.",
            "NOT COMPARED WITH ANYTHING OUTSIDE: whoever holds the keys of the log could have "
            "written another history before making this pack. Run it again with --witness and the "
            "key of a witness that you trust, or --checkpoint and a checkpoint that you kept.",
        ]
    return [
        *found,
        "CONSISTENT, BUT NOT PROVED TO BE GENUINE: only the key inside the pack was used, and "
        "whoever wrote the pack may have made it up with a key of their own. Run it again with "
        "--key and the key that the operator gave you by another way.",
    ]


def _check_lines(check: Check) -> list[str]:
    mark = "ok  " if check.ok else "FAIL"
    note = f"; {check.note}" if check.note else ""
    head = f"{mark}  {check.id:<10}  {check.title} ({check.unit}: {check.looked_at}){note}"
    more = len(check.failures) - _SHOWN
    tail = [f"      and {more} more; --json lists them all"] if more > 0 else []
    return [head, *(f"      {failure}" for failure in check.failures[:_SHOWN]), *tail]


def _checkpoint(path: Path) -> str:
    data = _read(path, "checkpoint/unusable", "the checkpoint cannot be read")
    try:
        note = mended(data.decode("utf-8"))
        parse_checkpoint(note.partition("\n\n")[0] + "\n")
    except (UnicodeDecodeError, VerifyError) as error:
        raise VerifyError("checkpoint/unusable", f"{path} holds no checkpoint.") from error
    return note


def _witnesses(
    keys: Sequence[str], quorum: int | None, policy: Path | None
) -> WitnessPolicy | None:
    if policy is not None:
        if keys or quorum is not None:
            raise VerifyError(_POLICY, "--witness-policy goes without --witness and --quorum.")
        return parse_policy(_text(_read(policy, _POLICY, f"{policy} cannot be read"), policy))
    if not keys:
        if quorum is not None:
            raise VerifyError(_POLICY, "--quorum needs --witness.")
        return None
    found = tuple(dict.fromkeys(_witness_key(text) for text in keys))
    return WitnessPolicy(found, len(found) if quorum is None else quorum)


def _witness_key(text: str) -> WitnessKey:
    try:
        return WitnessKey.from_text(text)
    except VerifyError as error:
        content = _read(Path(text), error.code, error.reason)
    return WitnessKey.from_text(_text(content, Path(text)).strip())


def _text(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise VerifyError(_POLICY, f"{path} is not text.") from error


def _read(path: Path, code: str, otherwise: str) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(LARGEST_NOTE)
    except (OSError, ValueError) as error:
        raise VerifyError(code, otherwise) from error


def _plain(text: str) -> str:
    """Without signs that steer a terminal: what a pack says was written by somebody else."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="guiderail-verify",
        description="Check an audit pack of Guiderail offline. Exit codes: 0 verified, 1 not "
        "verified, 4 the input cannot be used.",
    )
    parser.add_argument("pack", type=Path, metavar="PACK", help="the directory of the pack")
    parser.add_argument(
        "--key",
        metavar="VERIFIER_KEY",
        help="the log's key, which you got by another way than the pack: the key as text, or a "
        "file with it (public.json too)",
    )
    parser.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        help="a checkpoint that you kept; the log in the pack must continue it",
    )
    parser.add_argument(
        "--fingerprint",
        metavar="TEXT",
        help="the fingerprint of a checkpoint, as you wrote it down: the number of entries and 32 "
        "letters",
    )
    parser.add_argument(
        "--witness",
        action="append",
        default=[],
        metavar="WITNESS_KEY",
        help="the key of a witness that you trust, as text or in a file; may be given several "
        "times",
    )
    parser.add_argument(
        "--quorum",
        type=int,
        metavar="N",
        help="so many of these witnesses must have cosigned the checkpoint (default: all)",
    )
    parser.add_argument(
        "--witness-policy",
        type=Path,
        metavar="FILE",
        help="both in one file (C2SP tlog-policy), as you trust it; witnesses.txt in the pack is "
        "what the operator says",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
