"""Time stamps of checkpoints by an outside authority (RFC 3161).

A time stamp says that these bytes existed at that time. It counts as good only where it verifies
against root certificates that somebody here pinned; without any it is "not checked", never good.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)
from sqlalchemy import insert, select

from guiderail.core.errors import InputError
from guiderail.core.time import to_text
from guiderail.store.columns import column_bytes
from guiderail.store.tables import log_checkpoint, log_timestamp
from guiderail.store.transaction import Snapshot, Transaction

if TYPE_CHECKING:
    import aiohttp

QUERY_TYPE = "application/timestamp-query"
REPLY_TYPE = "application/timestamp-reply"
_LARGEST_REPLY = 64 * 1024
_SHA256 = "2.16.840.1.101.3.4.2.1"

State = Literal["good", "not-checked", "bad"]


@dataclass(frozen=True, slots=True)
class StoredTimestamp:
    """note: the signed checkpoint that was stamped, verbatim. response: TimeStampResp, verbatim."""

    size: int
    url: str
    note: str
    response: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a time stamp is worth. at: what the authority says; None where that cannot be read."""

    state: State
    at: datetime | None
    sentence: str


def ask_authority(url: str, note: str, *, seconds: float) -> bytes:
    """Let the authority at `url` stamp a checkpoint; its reply, which is about these bytes.

    Nothing is said yet about who signed it. Raises InputError where no such reply came.
    """
    request = (
        TimestampRequestBuilder()
        .data(note.encode("utf-8"))
        .hash_algorithm(HashAlgorithm.SHA256)
        .build()
    )
    try:
        reply = asyncio.run(_post(url, request.as_bytes(), seconds))
        stamp = decode_timestamp_response(reply)
        if stamp.status != 0:
            raise ValueError(f"it refused, with the status {stamp.status}")
        if stamp.tst_info.nonce != request.nonce:
            raise ValueError("its reply belongs to another request")
        _expect_about(reply, note)
    except (OSError, ValueError) as error:
        raise InputError(
            f"the time-stamping authority {url} gave no time stamp: "
            f"{str(error) or type(error).__name__}",
            code="timestamp/no-reply",
            advice="Check the address, or name another authority with --url.",
        ) from error
    return reply


def judge(stamp: StoredTimestamp, roots: Sequence[x509.Certificate]) -> Verdict:
    """Check a stored time stamp against pinned roots."""
    try:
        at = _expect_about(stamp.response, stamp.note)
    except ValueError as error:
        return Verdict("bad", None, f"The time stamp over {stamp.size} entries: {error}.")
    what = f"The time stamp of {_minute(at)} over {stamp.size} entries"
    if not roots:
        return Verdict("not-checked", at, f"{what} was not checked: no root is pinned.")
    builder = VerifierBuilder()
    for root in roots:
        builder = builder.add_root_certificate(root)
    try:
        builder.build().verify_message(
            decode_timestamp_response(stamp.response), stamp.note.encode("utf-8")
        )
    except (VerificationError, ValueError) as error:
        return Verdict(
            "bad", at, f"{what} does not verify against the pinned roots: {_why(error)}."
        )
    return Verdict("good", at, f"{what} verifies against the pinned roots.")


def read_roots(path: Path) -> list[x509.Certificate]:
    """Certificates of a PEM file; none where there is no file. Raises InputError `timestamp/roots`.

    Two that are the same count once.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _bad_roots(path, str(error.strerror)) from error
    try:
        found = x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise _bad_roots(path, "it holds no certificates in PEM form") from error
    return list(dict.fromkeys(found))


def keep_timestamp(tx: Transaction, size: int, url: str, response: bytes, now: datetime) -> None:
    """Store the reply of an authority under the checkpoint of that size."""
    tx.execute(
        insert(log_timestamp),
        {"size": size, "url": url, "response": response, "received_at": to_text(now)},
    )


def timestamps(snapshot: Snapshot) -> list[StoredTimestamp]:
    """All of them, in the order in which they came."""
    statement = (
        select(log_timestamp, log_checkpoint.c.note)
        .join(log_checkpoint, log_checkpoint.c.size == log_timestamp.c.size)
        .order_by(log_timestamp.c.id)
    )
    return [
        StoredTimestamp(int(row.size), row.url, str(row.note), column_bytes(row.response))
        for row in snapshot.execute(statement)
    ]


async def _post(url: str, body: bytes, seconds: float) -> bytes:
    """Raises OSError (time-outs too) and ValueError."""
    import aiohttp

    try:
        return await _posted(url, body, aiohttp.ClientTimeout(total=seconds))
    except aiohttp.ClientError as error:
        raise OSError(f"it cannot be reached ({type(error).__name__})") from error


async def _posted(url: str, body: bytes, limit: aiohttp.ClientTimeout) -> bytes:
    import aiohttp

    async with (
        aiohttp.ClientSession(timeout=limit, cookie_jar=aiohttp.DummyCookieJar()) as session,
        session.post(url, data=body, headers={"content-type": QUERY_TYPE}) as response,
    ):
        if response.status != 200:
            raise ValueError(f"it answered with the status {response.status}")
        data = b""
        async for chunk in response.content.iter_chunked(4096):
            data += chunk
            if len(data) > _LARGEST_REPLY:
                raise ValueError("its reply is too long")
        return data


def _expect_about(response: bytes, note: str) -> datetime:
    """The time that the authority says. Raises ValueError where it is not about this note."""
    info = decode_timestamp_response(response).tst_info
    imprint = info.message_imprint
    if imprint.hash_algorithm.dotted_string != _SHA256:
        raise ValueError("it is not over a SHA-256 hash")
    if imprint.message != hashlib.sha256(note.encode("utf-8")).digest():
        raise ValueError("it is about other bytes")
    at: datetime = info.gen_time
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _why(error: Exception) -> str:
    """The reason without the stack of errors that OpenSSL puts around it."""
    _, found, reason = str(error).partition("Verify error: ")
    return reason.partition('"')[0] if found else str(error).partition(": ErrorStack")[0]


def _minute(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _bad_roots(path: Path, why: str) -> InputError:
    return InputError(
        f"the pinned roots {path} cannot be read: {why}",
        code="timestamp/roots",
        advice="Put the root certificates of the authority there, in PEM form.",
    )
