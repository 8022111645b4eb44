"""Asking witnesses: an honest one cosigns, and only a good cosignature counts."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guiderail.ledger.ask_witnesses import Said, ask_all
from guiderail.ledger.witnesses import Asked, Witness
from guiderail.witness.folder import WitnessFolder
from guiderail.witness.server import application
from guiderail.witness.wire import SIZE_TYPE
from guiderail_verify.cosignature import WitnessKey, cosign
from guiderail_verify.witness_policy import WitnessPolicy, majority
from tests.witness.logs import KEY, Log
from tests.witness.running import always, answering, dripping, flooding, obliging

NOW = 1_780_000_000
PRIVATE = Ed25519PrivateKey.from_private_bytes(b"\x21" * 32)
NAME = "audit.example/w1"
KEY_OF_WITNESS = WitnessKey(NAME, PRIVATE.public_key().public_bytes_raw())


def clock() -> datetime:
    return datetime.fromtimestamp(NOW, UTC)


@pytest.fixture
def folder(tmp_path: Path) -> WitnessFolder:
    made = WitnessFolder.create(tmp_path / "witness", NAME)
    made.follow(KEY)
    return made


@pytest.fixture
def honest(folder: WitnessFolder) -> Iterator[Witness]:
    with answering(application(folder, lambda: NOW)) as url:
        yield Witness(folder.key, url)


def ask(log: Log, *asked: Asked, seconds: float = 10) -> list[Said]:
    return ask_all(asked, log.note(), len(log.entries), log.prove, clock, seconds=seconds)


def said(log: Log, url: str, old: int = 0, seconds: float = 10) -> Said:
    (answer,) = ask(log, Asked(Witness(KEY_OF_WITNESS, url), old), seconds=seconds)
    return answer


def test_an_honest_witness_cosigns_a_log_that_grows(honest: Witness) -> None:
    known = 0
    for size in (1, 6, 6, 20):
        (answer,) = ask(Log.of(size), Asked(honest, known))
        assert answer.outcome == "cosigned"
        assert answer.cosignature is not None
        assert answer.cosignature.time == NOW
        known = size


@pytest.mark.parametrize("thought", [0, 3, 11])
def test_the_log_learns_what_the_witness_knows(honest: Witness, thought: int) -> None:
    ask(Log.of(7), Asked(honest, 0))
    (answer,) = ask(Log.of(12), Asked(honest, thought))
    assert answer.outcome == "cosigned"


def test_a_rewritten_history_is_told(honest: Witness) -> None:
    ask(Log.of(7), Asked(honest, 0))
    for size in (7, 8, 30):
        (answer,) = ask(Log.of(size, "b"), Asked(honest, 7))
        assert (answer.outcome, answer.cosignature) == ("contradicts", None)
        assert "history was rewritten" in answer.sentence


@pytest.mark.parametrize("thought", [0, 5])
def test_a_log_rolled_back_is_told(honest: Witness, thought: int) -> None:
    ask(Log.of(7), Asked(honest, 0))
    (answer,) = ask(Log.of(5), Asked(honest, thought))
    assert answer.outcome == "contradicts"
    assert "entries at the end were removed" in answer.sentence


def test_a_witness_that_does_not_follow_the_log_says_what_to_do(tmp_path: Path) -> None:
    stranger = WitnessFolder.create(tmp_path / "stranger", NAME)
    with answering(application(stranger, lambda: NOW)) as url:
        answer = said(Log.of(3), url)
    assert answer.outcome == "refused"
    assert "add the key" in answer.sentence


def test_a_split_view_reaches_no_quorum(tmp_path: Path) -> None:
    folders = [WitnessFolder.create(tmp_path / f"w{n}", f"audit.example/w{n}") for n in range(2)]
    for one in folders:
        one.follow(KEY)
    with (
        answering(application(folders[0], lambda: NOW)) as first,
        answering(application(folders[1], lambda: NOW)) as second,
    ):
        witnesses = [Witness(folders[0].key, first), Witness(folders[1].key, second)]
        ask(Log.of(4), Asked(witnesses[0], 0), Asked(witnesses[1], 0))
        one, other = Log([*Log.of(4).entries, b"x"]), Log([*Log.of(4).entries, b"y"])
        # Each of two histories is shown to one witness first, then to both.
        assert ask(one, Asked(witnesses[0], 4))[0].outcome == "cosigned"
        assert ask(other, Asked(witnesses[1], 4))[0].outcome == "cosigned"
        for history in (one, other):
            answers = ask(history, *(Asked(witness, 4) for witness in witnesses))
            assert sorted(answer.outcome for answer in answers) == ["contradicts", "cosigned"]


def test_a_witness_that_signs_everything_makes_no_majority(tmp_path: Path) -> None:
    """It belongs to the insider; two honest ones remember, and two of three are required."""
    folders = [WitnessFolder.create(tmp_path / f"w{n}", f"audit.example/w{n}") for n in range(2)]
    for one in folders:
        one.follow(KEY)
    with (
        answering(application(folders[0], lambda: NOW)) as first,
        answering(application(folders[1], lambda: NOW)) as second,
        answering(obliging(PRIVATE, NAME, NOW)) as liar,
    ):
        witnesses = [
            Witness(folders[0].key, first),
            Witness(folders[1].key, second),
            Witness(KEY_OF_WITNESS, liar),
        ]
        policy = WitnessPolicy(tuple(one.key for one in witnesses), majority(3))
        reached = []
        for log in (Log.of(9), Log.of(9, "b"), Log.of(12, "c")):
            answers = ask(log, *(Asked(one, 0) for one in witnesses))
            assert answers[2].outcome == "cosigned"
            lines = "".join(one.cosignature.line for one in answers if one.cosignature)
            reached.append(policy.reached(log.note() + lines).time)
    assert reached == [NOW, None, None]


def line(text: str, at: int = NOW, private: Ed25519PrivateKey = PRIVATE, name: str = NAME) -> bytes:
    return cosign(private, name, text, at).encode()


TEXT = Log.of(3).checkpoint().to_text()
OLD_TEXT = Log.of(2).checkpoint().to_text()
STRANGER = Ed25519PrivateKey.from_private_bytes(b"\x22" * 32)
WRONG = {
    "garbage": (200, b"thank you\n"),
    "nothing": (200, b""),
    "half a line": (200, line(TEXT)[:-5]),
    "garbage after the signature": (200, line(TEXT) + b"PS: hello\n"),
    "not text": (200, b"\xff\xfe" + line(TEXT)),
    "another key": (200, line(TEXT, private=STRANGER, name="stranger.example")),
    "another key under its name": (200, line(TEXT, private=STRANGER)),
    "another checkpoint": (200, line(OLD_TEXT)),
    "replayed": (200, line(TEXT, at=NOW - 301)),
    "from the future": (200, line(TEXT, at=NOW + 301)),
    "at the end of time": (200, line(TEXT, at=2**63 - 1)),
    "twice": (200, line(TEXT) + line(TEXT, at=NOW - 1)),
    "redirect": (302, b""),
    "error": (500, b"sorry"),
    "accepted": (202, line(TEXT)),
    "another checkpoint inside": (200, b"\n\n" + line(TEXT)),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_is_no_cosignature(name: str) -> None:
    status, body = WRONG[name]
    with answering(always(status, body)) as url:
        answer = said(Log.of(3), url)
    assert (answer.outcome, answer.cosignature) == ("bad-answer", None)
    assert answer.sentence.startswith(f"The witness {NAME} ")


def test_cosignatures_of_strangers_beside_the_good_one_are_ignored() -> None:
    more = line(TEXT, private=STRANGER, name="stranger.example")
    with answering(always(200, more + line(TEXT) + more)) as url:
        answer = said(Log.of(3), url)
    assert answer.cosignature is not None
    assert answer.cosignature.line.encode() == line(TEXT)


CONFLICTS = {
    "no size": (b"", SIZE_TYPE),
    "no line end": (b"2", SIZE_TYPE),
    "not a number": (b"two\n", SIZE_TYPE),
    "leading zero": (b"02\n", SIZE_TYPE),
    "another type": (b"2\n", "text/plain"),
    "the same again": (b"1\n", SIZE_TYPE),
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_a_conflict_that_makes_no_sense_is_a_bad_answer(name: str) -> None:
    body, kind = CONFLICTS[name]
    with answering(always(409, body, kind)) as url:
        assert said(Log.of(3), url, old=1).outcome == "bad-answer"


def test_a_witness_that_claims_a_longer_log_is_believed_to_contradict() -> None:
    with answering(always(409, b"4\n", SIZE_TYPE)) as url:
        assert said(Log.of(3), url).outcome == "contradicts"


def test_nobody_at_the_address_costs_no_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert said(Log.of(3), f"http://127.0.0.1:{port}").outcome == "no-answer"


def test_slow_and_flooding_witnesses_cost_the_time_once() -> None:
    """One accepts and never answers, one drips, one floods; all are asked at once."""
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        answering(dripping()) as drops,
        answering(flooding()) as floods,
        answering(always(200, line(TEXT))) as good,
    ):
        urls = [f"http://127.0.0.1:{silent.getsockname()[1]}", drops, floods, good]
        began = time.monotonic()
        answers = ask(
            Log.of(3), *(Asked(Witness(KEY_OF_WITNESS, url), 0) for url in urls), seconds=0.7
        )
        assert time.monotonic() - began < 5
    assert outcomes(answers) == ["no-answer", "no-answer", "no-answer", "cosigned"]


def outcomes(answers: Sequence[Said]) -> list[str]:
    return [answer.outcome for answer in answers]
