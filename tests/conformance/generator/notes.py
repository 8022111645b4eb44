"""Cases of signed notes in general, and of the keys that verify them: c2sp.org/signed-note."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.conformance.generator.case import Case
from tests.conformance.generator.checkpoints import GO
from tests.conformance.generator.signing import (
    LOG,
    LOG_KEY,
    ORIGIN,
    base64_text,
    key_id,
    public,
    sign_line,
    sign_note,
    verifier_key,
)

# The example of the Go module golang.org/x/mod/sumdb/note.
PUBLISHED_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PUBLISHED_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PUBLISHED_NOTE = (
    PUBLISHED_TEXT + "\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1F"
    "FYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def cases() -> list[Case]:
    return [*_notes(), *_keys()]


def _good(name: str, text: str, note: str | None = None, key: str = LOG_KEY) -> Case:
    data = (note or sign_note(text)).encode("utf-8")
    return Case("note", name, {"note.txt": data}, {"keys": [key]}, {"text": text})


def _bad(name: str, note: str, code: str, wrong: str, why: str) -> Case:
    files = {"note.txt": note.encode("utf-8")}
    return Case("note", name, files, {"keys": [LOG_KEY]}, code=code, wrong=wrong, why=why)


def _notes() -> Iterator[Case]:
    yield _good("published-by-the-go-authors", PUBLISHED_TEXT, PUBLISHED_NOTE, PUBLISHED_KEY)
    yield _good("one-line", "Ledger of the conformance suite\n")
    yield _good("empty-lines-in-the-text", "one\n\n\ntwo\n\n")
    yield _good("letters-beyond-the-basic-plane", "\U0001f6e4 r\u00e4il \u9053\n")
    signed = sign_line("caf\u00e9\n")
    why = "What was signed are bytes. A verifier that repairs text verifies something else."
    for name, text, wrong in (
        ("another-unicode-form", "cafe\u0301\n", "U+00E9 became U+0065 U+0301 after signing."),
        ("another-letter", "cafe\n", "The accent is gone."),
        ("zero-width-space-added", "caf\u00e9\u200b\n", "U+200B was added after signing."),
        ("space-added", "caf\u00e9 \n", "A space was added at the end of the line."),
        ("empty-line-added", "caf\u00e9\n\n", "An empty line was added to the text."),
        ("line-separator-added", "caf\u00e9\u2028\n", "U+2028 was added after signing."),
    ):  # fmt: skip
        yield _bad(name, f"{text}\n{signed}", "note/bad-signature", wrong, why)


def _key(name: str, text: str, wrong: str, why: str, go: str = "") -> Case:
    lenient: Mapping[str, str] = {GO: go} if go else {}
    return Case(
        "verifier-key", name, {"key.txt": text.encode("utf-8")}, {}, code="note/bad-key",
        wrong=wrong, why=why, lenient=lenient,
    )  # fmt: skip


def _keys() -> Iterator[Case]:
    answer = {"name": ORIGIN, "public": public(LOG).hex()}
    yield Case("verifier-key", "ed25519", {"key.txt": LOG_KEY.encode()}, {}, answer)
    name, id_, encoded = LOG_KEY.split("+", 2)
    why = "A key that is copied wrongly must be noticed before anything is verified with it."
    yield _key("wrong-id", f"{name}+00000000+{encoded}", "The id is not the hash of the key.", why)
    yield _key("id-of-six-digits", f"{name}+{id_[:6]}+{encoded}", "The id is cut off.", why)
    yield _key(
        "id-in-capitals", f"{name}+{id_.upper()}+{encoded}", "The id is in capitals.",
        "One key has one spelling.", "it reads the id as a number.",
    )  # fmt: skip
    other = bytes([2]) + public(LOG)
    yield _key("another-algorithm", f"{name}+{key_id(name, other[1:]).hex()}+{base64_text(other)}",
               "The first byte says another algorithm than Ed25519.",
               "A signature under one algorithm must not be checked under another one.")  # fmt: skip
    short = public(LOG)[:-1]
    yield _key("key-of-31-bytes", verifier_key(name, short), "The key has 31 bytes.",
               "An Ed25519 key has 32 bytes.")  # fmt: skip
    yield _key("name-with-a-space", verifier_key("log example", public(LOG)),
               "The name holds a space.", "The name must fit into a signature line.")  # fmt: skip
    yield _key("no-name", verifier_key("", public(LOG)), "The name is empty.",
               "A key without a name cannot be named in a signature line.")  # fmt: skip
    yield _key("without-a-key", f"{name}+{id_}", "The key itself is missing.", why)
    yield _key("newline-at-the-end", LOG_KEY + "\n", "A newline follows the key.",
               "The text is the key and nothing else; whoever reads a file removes its newline.",
               "encoding/base64 ignores newlines.")  # fmt: skip
    yield _key("newline-inside", LOG_KEY[:-10] + "\n" + LOG_KEY[-10:], "The base64 is broken into "
               "two lines.", why, "encoding/base64 ignores newlines.")  # fmt: skip
