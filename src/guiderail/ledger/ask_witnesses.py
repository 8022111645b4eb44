"""Ask witnesses to cosign a checkpoint (the client's side of c2sp.org/tlog-witness).

A witness may be down, slow, wrong or hostile. Whatever it does costs a bounded time, is said in a
sentence, and counts as "not cosigned": only a verified cosignature that is fresh counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp

from guiderail.core.time import Clock
from guiderail.ledger.witnesses import CLOCK_TOLERANCE, Asked, Outcome, Witness
from guiderail.witness.wire import SIZE_TYPE, AddCheckpoint
from guiderail_verify.cosignature import Cosignature, cosignatures
from guiderail_verify.errors import VerifyError
from guiderail_verify.note import compose, parse_decimal, split_note

_LARGEST_ANSWER = 16 * 1024
_MOST_TRIES = 3

Prove = Callable[[int], Sequence[bytes]]
"""The consistency proof from a smaller size to the checkpoint."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one witness answered, in words. cosignature: set exactly where it cosigned."""

    witness: Witness
    outcome: Outcome
    sentence: str
    cosignature: Cosignature | None = None


def ask_all(
    asked: Sequence[Asked], note: str, size: int, prove: Prove, clock: Clock, *, seconds: float
) -> list[Said]:
    """Ask every witness at once; the answers in the order of `asked`.

    note: the signed checkpoint over `size` entries. seconds: how long all of it may take.
    """
    return asyncio.run(_ask_all(asked, note, size, prove, clock, seconds))


async def _ask_all(
    asked: Sequence[Asked], note: str, size: int, prove: Prove, clock: Clock, seconds: float
) -> list[Said]:
    limit = aiohttp.ClientTimeout(total=seconds)
    async with aiohttp.ClientSession(
        timeout=limit, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    ) as session:
        questions = [_Question(session, one.witness, note, size, prove, clock) for one in asked]
        return list(
            await asyncio.gather(
                *(
                    _bounded(question, one.old_size, seconds)
                    for question, one in zip(questions, asked, strict=True)
                )
            )
        )


async def _bounded(question: _Question, old_size: int, seconds: float) -> Said:
    try:
        return await asyncio.wait_for(question.ask(old_size), seconds)
    except TimeoutError:
        return question.said("no-answer", f"did not answer within {seconds:g} seconds")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return question.said("no-answer", f"cannot be reached ({type(error).__name__})")


@dataclass(frozen=True, slots=True)
class _Question:
    """One checkpoint put to one witness."""

    session: aiohttp.ClientSession
    witness: Witness
    note: str
    size: int
    prove: Prove
    clock: Clock

    async def ask(self, old_size: int) -> Said:
        """Begin with what it is thought to know, and go on from what it says that it knows."""
        for _ in range(_MOST_TRIES):
            status, kind, body = await self._post(old_size)
            if status != 409:
                return self._read(status, body)
            theirs = _size(kind, body)
            if theirs is None:
                return self.said("bad-answer", "says that it knows another size, and not which")
            if theirs > self.size:
                return self.said(
                    "contradicts",
                    f"has cosigned a log of {theirs} entries, and only {self.size} are here: "
                    "entries at the end were removed",
                )
            if theirs == old_size == self.size:
                return self.said(
                    "contradicts",
                    f"has cosigned other {theirs} entries than those here: history was rewritten",
                )
            if theirs == old_size:
                return self.said("bad-answer", "contradicts itself about the size that it knows")
            old_size = theirs
        return self.said("bad-answer", "says another size each time")

    def said(self, outcome: Outcome, what: str, made: Cosignature | None = None) -> Said:
        return Said(self.witness, outcome, f"The witness {self.witness.key.name} {what}.", made)

    async def _post(self, old_size: int) -> tuple[int, str, bytes]:
        path = tuple(self.prove(old_size))
        async with self.session.post(
            f"{self.witness.url}/add-checkpoint",
            data=AddCheckpoint(old_size, path, self.note).to_bytes(),
            headers={"content-type": "text/plain; charset=utf-8"},
            allow_redirects=False,
        ) as response:
            body = b""
            async for chunk in response.content.iter_chunked(4096):
                body += chunk
                if len(body) > _LARGEST_ANSWER:
                    raise ValueError("the answer is too long")
            return response.status, response.headers.get("content-type", ""), body

    def _read(self, status: int, body: bytes) -> Said:
        if status == 200:
            return self._cosigned(body)
        if status == 422:
            return self.said(
                "contradicts",
                f"remembers a history that these {self.size} entries do not continue: history "
                "was rewritten",
            )
        if status in (403, 404):
            return self.said(
                "refused",
                "does not follow this log or does not know its key: its owner has to add the "
                "key that `guiderail ledger witness list` shows",
            )
        return self.said("bad-answer", f"answered with the status {status}")

    def _cosigned(self, body: bytes) -> Said:
        try:
            text, _ = split_note(self.note)
            found = cosignatures(compose(text, [body.decode("utf-8")]), [self.witness.key])
        except (UnicodeDecodeError, VerifyError) as error:
            reason = error.reason if isinstance(error, VerifyError) else "it is not text"
            return self.said("bad-answer", f"answered what is no good cosignature: {reason}")
        if not found:
            return self.said("bad-answer", "signed with another key than the one that you gave")
        now = self.clock()
        if abs(found[0].time - now.timestamp()) > CLOCK_TOLERANCE.total_seconds():
            return self.said(
                "bad-answer",
                f"answered with a cosignature from {_minute(found[0].time)}: it is an old one, or "
                "one of the clocks is wrong",
            )
        return self.said("cosigned", f"cosigned {self.size} entries", found[0])


def _size(kind: str, body: bytes) -> int | None:
    try:
        text = body.decode("ascii")
        if kind.partition(";")[0].strip() != SIZE_TYPE or not text.endswith("\n"):
            return None
        return parse_decimal(text[:-1], "witness/size")
    except (UnicodeDecodeError, VerifyError):
        return None


def _minute(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return f"the second {seconds}"
