"""Cases of signed notes and checkpoints: c2sp.org/signed-note and c2sp.org/tlog-checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tests.conformance.generator import reference_tree as tree
from tests.conformance.generator.case import Case
from tests.conformance.generator.signing import (
    DASH,
    LOG,
    LOG_KEY,
    ORIGIN,
    PERMITS,
    WITNESS,
    WITNESS_KEY,
    WITNESS_NAME,
    base64_text,
    checkpoint_text,
    key_id,
    line,
    public,
    sign_line,
    sign_note,
    verifier_key,
)

GO = "golang.org/x/mod/sumdb"
ROOT = tree.root([f"entry {number}".encode() for number in range(7)])
TEXT = checkpoint_text(7, ROOT)
NOTE = sign_note(TEXT)
SIGNATURE = LOG.sign(TEXT.encode())
ID = key_id(ORIGIN, public(LOG))
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


def cases() -> list[Case]:
    return [*_accepted(), *_signatures(), *_signature_lines(), *_texts(), *_sizes(), *_roots()]


def _case(
    name: str, note: str | bytes, *, origin: str = ORIGIN, keys: Sequence[str] = (LOG_KEY,),
    **more: object,
) -> Case:  # fmt: skip
    data = note.encode("utf-8") if isinstance(note, str) else note
    question = {"origin": origin, "keys": list(keys)}
    return Case("checkpoint", name, {"checkpoint.txt": data}, question, **more)  # type: ignore[arg-type]


def _good(
    name: str, note: str, size: int = 7, root: bytes = ROOT, *, origin: str = ORIGIN,
    keys: Sequence[str] = (LOG_KEY,),
) -> Case:  # fmt: skip
    answer = {"size": str(size), "root": base64_text(root)}
    return _case(name, note, origin=origin, keys=keys, answer=answer)


def _bad(
    name: str, note: str | bytes, code: str, wrong: str, why: str, *, origin: str = ORIGIN,
    keys: Sequence[str] = (LOG_KEY,), lenient: Mapping[str, str] | None = None,
) -> Case:  # fmt: skip
    return _case(
        name, note, origin=origin, keys=keys, code=code, wrong=wrong, why=why,
        lenient=lenient or {},
    )  # fmt: skip


def _stranger(number: int) -> str:
    """A signature line of a key that nobody knows."""
    return line(f"witness.example/{number}", bytes([0, 0, 0, number]), bytes([number]) * 64)


def _accepted() -> Iterator[Case]:
    yield _good("seven-entries", NOTE)
    empty = tree.root([])
    yield _good("empty-log", sign_note(checkpoint_text(0, empty)), 0, empty)
    largest = 2**63 - 1
    yield _good("largest-size", sign_note(checkpoint_text(largest, ROOT)), largest)
    yield _good("cosigned-by-an-unknown-witness", NOTE + sign_line(TEXT, WITNESS_NAME, WITNESS))
    yield _good(
        "cosigned-by-a-known-witness",
        NOTE + sign_line(TEXT, WITNESS_NAME, WITNESS),
        keys=[LOG_KEY, WITNESS_KEY],
    )
    strangers = "".join(_stranger(number) for number in range(15))
    yield _good("sixteen-signatures", f"{TEXT}\n{strangers}{sign_line(TEXT)}")
    yield _good("unknown-key-with-the-name-of-a-known-one", NOTE + line(ORIGIN, b"\0" * 4, b"x"))
    yield _good("unknown-key-with-the-id-of-a-known-one", NOTE + line("other.example", ID, b"x"))
    yield _good("unknown-long-signature", NOTE + line("pq.example", b"\1\2\3\4", b"\x05" * 2420))
    origin = "log.example/höchst-geprüft"
    yield _good(
        "origin-with-letters-beyond-ascii",
        sign_note(checkpoint_text(7, ROOT, origin), origin),
        origin=origin,
        keys=[verifier_key(origin, public(LOG))],
    )


def _signatures() -> Iterator[Case]:
    yield _bad(
        "unknown-key", sign_note(TEXT, WITNESS_NAME, WITNESS), "note/unknown-key",
        "The only signature is of a key that the verifier does not trust.",
        "Anybody can sign anything with a key of their own.",
    )  # fmt: skip
    yield _bad(
        "witness-alone", sign_note(TEXT, WITNESS_NAME, WITNESS), "note/unknown-key",
        "A known witness signed, and the log did not.",
        "A witness says what it saw of a log. It cannot speak for the log.",
        keys=[LOG_KEY, WITNESS_KEY],
        lenient={GO: "note.Open takes any known key; which of them is the log's is up to its "
                     "caller."},
    )  # fmt: skip
    yield _bad(
        "wrong-key-id", f"{TEXT}\n{line(ORIGIN, bytes(4), SIGNATURE)}", "note/unknown-key",
        "The signature is right, and the four bytes before it name another key.",
        "Name and id together say which key signed. An id that is not looked at could be anything.",
    )  # fmt: skip
    yield _bad(
        "signed-with-another-key-under-the-known-id",
        f"{TEXT}\n{line(ORIGIN, ID, WITNESS.sign(TEXT.encode()))}", "note/bad-signature",
        "The line names the key of the log, and another key made the signature.",
        "The id is no secret: only the signature shows who signed.",
    )  # fmt: skip
    other = checkpoint_text(8, ROOT)
    yield _bad(
        "size-changed-after-signing", f"{other}\n{sign_line(TEXT)}", "note/bad-signature",
        "The size in the text is 8, and 7 was signed.",
        "Whoever changes the size hides entries or promises some that are not there.",
    )  # fmt: skip
    yield _bad(
        "root-changed-after-signing", f"{checkpoint_text(7, bytes(32))}\n{sign_line(TEXT)}",
        "note/bad-signature", "The root in the text is not the one that was signed.",
        "Another root stands for other entries.",
    )  # fmt: skip
    yield _bad(
        "resigned-with-another-key", sign_note(other, ORIGIN, WITNESS), "note/unknown-key",
        "The text was changed and signed again, with another key under the name of the log.",
        "This is what somebody does who can write the files of a log and has not got its key.",
    )  # fmt: skip
    yield _bad(
        "good-and-wrong-signature-of-known-keys",
        NOTE + line(ORIGIN, key_id(ORIGIN, public(WITNESS)), bytes(64)), "note/bad-signature",
        "One known key signed rightly; the signature of another known key is wrong.",
        "A wrong signature of a known key means that the note was changed or a key misused.",
        keys=[LOG_KEY, verifier_key(ORIGIN, public(WITNESS))],
    )  # fmt: skip
    yield _bad(
        "signature-of-63-bytes", f"{TEXT}\n{line(ORIGIN, ID, SIGNATURE[:-1])}",
        "note/bad-signature", "The last byte of the signature is missing.",
        "An Ed25519 signature has 64 bytes; a shorter one proves nothing.",
    )  # fmt: skip
    yield _bad(
        "signature-of-65-bytes", f"{TEXT}\n{line(ORIGIN, ID, SIGNATURE + b'x')}",
        "note/bad-signature", "A byte follows the signature inside its base64.",
        "What follows a signature was not signed and has no meaning.",
    )  # fmt: skip
    scalar = int.from_bytes(SIGNATURE[32:], "little") + GROUP_ORDER
    moved = SIGNATURE[:32] + scalar.to_bytes(32, "little")
    yield _bad(
        "signature-with-a-number-beyond-the-group-order", f"{TEXT}\n{line(ORIGIN, ID, moved)}",
        "note/bad-signature",
        "The group order was added to the second half of a right signature.",
        "RFC 8032, section 5.1.7, asks for a number below the order: otherwise anybody could turn "
        "one signature into another one.",
    )  # fmt: skip
    without = LOG.sign(TEXT[:-1].encode())
    yield _bad(
        "signed-without-the-last-newline", f"{TEXT}\n{line(ORIGIN, ID, without)}",
        "note/bad-signature", "The signature covers the text without its last newline.",
        "The text of a note includes its last newline.",
    )  # fmt: skip
    yield _bad(
        "duplicate-signature", NOTE + sign_line(TEXT), "note/twice-signed",
        "The signature line of the log stands there twice.",
        "A note has one form. A second line adds nothing and gives the note another hash.",
        lenient={GO: "it drops a second signature of one key."},
    )  # fmt: skip
    yield _bad(
        "second-signature-of-one-key-is-wrong", NOTE + line(ORIGIN, ID, bytes(64)),
        "note/twice-signed",
        "The key of the log signed rightly; a second line of the same key is wrong.",
        "A known key must verify wherever it stands, and it stands in a note once.",
        lenient={GO: "it drops a second signature of one key without looking at it."},
    )  # fmt: skip
    many = "".join(_stranger(number) for number in range(64))
    yield _bad(
        "sixty-five-signatures", NOTE + many, "note/too-many",
        "64 signatures of strangers follow the one of the log.",
        "A limit keeps a verifier from reading forever. The specification asks for at least 16.",
        lenient={GO: "its limit is 100 signatures."},
    )  # fmt: skip


def _signature_lines() -> Iterator[Case]:
    bad_line = "A signature block holds signature lines and nothing else; what else stands there " \
        "was not signed and might be taken for signed."  # fmt: skip
    for name, note, code, wrong in (
        ("garbage-after-the-signatures", NOTE + "and something else\n", "note/garbage",
         "A line that is no signature follows the signatures."),
        ("garbage-before-the-signatures", f"{TEXT}\nsomething\n{sign_line(TEXT)}", "note/garbage",
         "A line that is no signature stands in front of the signatures."),
        ("text-without-newline-at-the-end", NOTE + "more", "note/no-signature",
         "Letters follow the last newline."),
        ("last-newline-missing", NOTE[:-1], "note/no-signature",
         "The file ends in the middle of the last line."),
        ("blank-line-at-the-end", NOTE + "\n", "note/no-signature",
         "An empty line follows the signatures, so that no signature follows the last empty line."),
        ("no-signatures", TEXT, "note/no-signature", "The text is not signed at all."),
        ("blank-line-missing", TEXT + sign_line(TEXT), "note/no-signature",
         "No empty line separates text and signatures."),
        ("empty-file", "", "note/no-signature", "The file is empty."),
        ("truncated", NOTE[:90], "note/no-signature", "The file ends in the middle of the text."),
        ("hyphen-for-the-dash", NOTE.replace(DASH, "- "), "note/garbage",
         "The signature line begins with a hyphen and not with U+2014."),
        ("other-dash", NOTE.replace(DASH, "\u2013 "), "note/garbage",
         "The signature line begins with U+2013, which looks like U+2014."),
        ("two-spaces-after-the-name", NOTE.replace(f"{DASH}{ORIGIN} ", f"{DASH}{ORIGIN}  "),
         "note/garbage", "Two spaces stand between name and signature."),
        ("no-break-space-in-the-name",
         NOTE + line("witness.example\u00a0x", b"\1\2\3\4", bytes(64)), "note/garbage",
         "The name of a key holds U+00A0, which is a space."),
        ("plus-in-the-name", NOTE + line("a+b", b"\1\2\3\4", bytes(64)), "note/garbage",
         "The name of a key holds a plus sign."),
        ("signature-of-four-bytes", NOTE + f"{DASH}x.example AAAAAA==\n", "note/garbage",
         "A line holds a key id and no signature."),
        ("signature-without-padding", NOTE.replace("=\n", "\n"), "note/garbage",
         "The base64 of root and signature lacks its padding."),
    ):  # fmt: skip
        yield _bad(name, note, code, wrong, bad_line)
    encoded = base64_text(ID + SIGNATURE)
    assert encoded[-1] == "=", "68 bytes leave two bits over"
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = letters[letters.index(encoded[-2]) + 1]
    yield _bad(
        "signature-base64-with-stray-bits", NOTE.replace(encoded, encoded[:-2] + last + "="),
        "note/garbage",
        "The last letter of the base64 holds bits that belong to no byte, and they are not zero.",
        "One signature has one spelling; with two, a file can be changed and still verify.",
        lenient={GO: "encoding/base64 ignores such bits unless it is told to be strict."},
    )  # fmt: skip
    yield _bad(
        "signature-in-url-safe-base64",
        NOTE + f"{DASH}x.example {base64_text(bytes([251, 239, 190]) * 24).replace('+', '-')}\n",
        "note/garbage", "A signature is written in the URL-safe alphabet.",
        "The specification names the standard alphabet.",
    )  # fmt: skip
    yield _bad(
        "delete-character-in-the-name", NOTE + line("x\x7fy", b"\1\2\3\4", bytes(64)),
        "note/garbage", "The name of a key holds U+007F, which no terminal shows.",
        "Names are read by people; one that looks like another is a trap.",
        lenient={GO: "only characters below U+0020 are refused, as in the specification."},
    )  # fmt: skip


def _texts() -> Iterator[Case]:
    yield _bad(
        "other-log", sign_note(checkpoint_text(7, ROOT, "other.example/log")), "note/other-log",
        "The key of this log signed a checkpoint that names another log.",
        "One key may sign for several logs; the first line says for which.",
    )  # fmt: skip
    why = "Two origins are the same only where every byte is the same."
    for name, origin, wrong in (
        ("origin-with-a-cyrillic-letter", ORIGIN.replace("o", "\u043e", 1),
         "The first o of the origin is U+043E, which looks the same."),
        ("origin-in-capitals", ORIGIN.upper(), "The origin is written in capitals."),
        ("origin-with-a-space-at-the-end", ORIGIN + " ", "A space follows the origin."),
        ("origin-with-a-zero-width-space", ORIGIN.replace(".", ".\u200b"),
         "The origin holds U+200B, which nobody sees."),
        ("origin-after-a-byte-order-mark", "\ufeff" + ORIGIN, "The file begins with U+FEFF."),
    ):  # fmt: skip
        yield _bad(name, sign_note(checkpoint_text(7, ROOT, origin)), "note/other-log", wrong, why)
    composed, decomposed = "log.example/\u00e9", "log.example/e\u0301"
    yield _bad(
        "origin-in-another-unicode-form",
        sign_note(checkpoint_text(7, ROOT, decomposed), composed), "note/other-log",
        "The origin is written with U+0065 U+0301, and U+00E9 is expected.", why,
        origin=composed, keys=[verifier_key(composed, public(LOG))],
    )  # fmt: skip
    lookalike = ORIGIN.replace("o", "\u043e", 1)
    yield _bad(
        "key-name-with-a-cyrillic-letter", f"{TEXT}\n{line(lookalike, ID, SIGNATURE)}",
        "note/unknown-key", "The name in the signature line holds U+043E in place of an o.",
        "A key is known by its name and id together, byte for byte.",
    )  # fmt: skip
    control = "The specification refuses every control character but the newline: a terminal " \
        "would show something else than what was signed."  # fmt: skip
    for name, note, wrong in (
        ("carriage-returns", NOTE.replace("\n", "\r\n"), "Lines end in CR LF."),
        ("carriage-return-signed", sign_note(TEXT.replace("7\n", "7\r\n")),
         "The second line of the text ends in CR LF, and that was signed."),
        ("tab-signed", sign_note(TEXT.replace("7\n", "7\t\n")), "The size is followed by a tab."),
        ("null-signed", sign_note(TEXT.replace("7\n", "7\0\n")), "The size is followed by U+0000."),
        ("escape-sequence-signed", sign_note(checkpoint_text(7, ROOT, ORIGIN + "\x1b[2K")),
         "The origin holds a sequence that clears the line of a terminal."),
    ):  # fmt: skip
        yield _bad(name, note, "note/control-character", wrong, control)
    yield _bad(
        "not-utf-8", NOTE.encode().replace(b"conformance\n7", b"conf\xffrmance\n7"), "not-text",
        "A byte of the text is 0xFF, which no UTF-8 text holds.", "A note is UTF-8 text.",
    )  # fmt: skip
    three = "The text of a checkpoint is origin, size and root, each on a line of its own."
    encoded = base64_text(ROOT)
    for name, text, wrong in (
        ("two-lines", f"{ORIGIN}\n7\n", "The line with the root is missing."),
        ("one-line", f"{ORIGIN}\n", "Only the origin is there."),
        ("empty-origin", f"\n7\n{encoded}\n", "The first line is empty."),
        ("size-and-root-swapped", f"{ORIGIN}\n{encoded}\n7\n", "The root stands before the size."),
        ("blank-line-inside", f"{ORIGIN}\n\n7\n{encoded}\n", "An empty line follows the origin."),
    ):  # fmt: skip
        yield _bad(name, sign_note(text), "note/bad-checkpoint", wrong, three)
    yield _bad(
        "extension-line", sign_note(TEXT + "extension\n"), "note/bad-checkpoint",
        "A fourth line follows the root.",
        "The specification allows such lines and advises against them: nobody can audit what they "
        "say. Guiderail writes none, so a checkpoint that has one is not of its making.",
        lenient={GO: "tlog.ParseTree ignores further lines."},
    )  # fmt: skip
    yield _bad(
        "two-notes-in-one-file", NOTE + "\n" + NOTE, "note/bad-signature",
        "Two signed notes follow each other.",
        "The last empty line ends the text, so the first note became text that nobody signed.",
    )  # fmt: skip


def _sizes() -> Iterator[Case]:
    why = "A size is written in ASCII digits in one way only, and fits into 63 bits: otherwise " \
        "two programs read two sizes from one signed text."  # fmt: skip
    for name, size, wrong in (
        ("size-with-a-leading-zero", "07", "The size has a leading zero."),
        ("size-with-a-plus-sign", "+7", "The size has a plus sign."),
        ("size-below-zero", "-7", "The size is negative."),
        ("size-minus-zero", "-0", "The size is -0."),
        ("size-in-hexadecimal", "0x7", "The size is hexadecimal."),
        ("size-with-a-decimal-point", "7.0", "The size has a decimal point."),
        ("size-with-an-exponent", "7e0", "The size has an exponent."),
        ("size-with-an-underscore", "1_0", "The size holds an underscore."),
        ("size-after-a-space", " 7", "A space stands before the size."),
        ("size-empty", "", "The line of the size is empty."),
        ("size-in-arabic-digits", "\u0667", "The size is U+0667, the Arabic digit seven."),
        ("size-in-full-width-digits", "\uff17", "The size is U+FF17, a full-width seven."),
        ("size-as-a-superscript", "\u00b2", "The size is U+00B2, a superscript two."),
        ("size-of-two-to-the-63", str(2**63), "The size is 2**63."),
        ("size-of-two-to-the-64-plus-7", str(2**64 + 7), "The size becomes 7 in 64 bits."),
        ("size-of-five-thousand-digits", "9" * 5000, "The size has 5,000 digits."),
    ):
        yield _bad(name, sign_note(checkpoint_text(size, ROOT)), "note/bad-checkpoint", wrong, why)


def _roots() -> Iterator[Case]:
    why = "A root is 32 bytes in the one canonical spelling of standard base64."
    encoded = base64_text(ROOT)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    stray = encoded[:-2] + letters[letters.index(encoded[-2]) + 1] + "="
    for name, root, wrong in (
        ("root-of-31-bytes", base64_text(ROOT[:-1]), "The root has 31 bytes."),
        ("root-of-33-bytes", base64_text(ROOT + b"\0"), "The root has 33 bytes."),
        ("root-empty", "", "The line of the root is empty."),
        ("root-in-hexadecimal", ROOT.hex(), "The root is written in hexadecimal."),
        ("root-without-padding", encoded[:-1], "The base64 lacks its padding."),
        ("root-with-too-much-padding", encoded + "=", "The base64 has too much padding."),
        ("root-with-a-space", encoded + " ", "A space follows the root."),
        ("root-in-url-safe-base64", base64_text(b"\xfb\xef" * 16).replace("+", "-"),
         "The root is written in the URL-safe alphabet."),
    ):  # fmt: skip
        note = sign_note(f"{ORIGIN}\n7\n{root}\n")
        yield _bad(name, note, "note/bad-checkpoint", wrong, why)
    yield _bad(
        "root-base64-with-stray-bits", sign_note(f"{ORIGIN}\n7\n{stray}\n"), "note/bad-checkpoint",
        "The last letter of the base64 holds bits that belong to no byte, and they are not zero.",
        why, lenient={GO: "encoding/base64 ignores such bits unless it is told to be strict."},
    )  # fmt: skip
    yield _bad(
        "signed-by-the-permit-key", sign_note(TEXT, ORIGIN, PERMITS), "note/unknown-key",
        "The key for permits signed the checkpoint.",
        "Each key has one task: who holds the key for permits must not be able to rewrite the log.",
    )  # fmt: skip
