"""Cases of Merkle proofs (RFC 6962 and RFC 9162, section 2.1) and of c2sp.org/tlog-proof."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from tests.conformance.generator import reference_tree as tree
from tests.conformance.generator.case import Case
from tests.conformance.generator.checkpoints import GO
from tests.conformance.generator.signing import (
    LOG_KEY,
    ORIGIN,
    WITNESS,
    base64_text,
    checkpoint_text,
    sign_note,
)

BODIES = [f'{{"entry":{number}}}'.encode() for number in range(130)]
HEADER = "c2sp.org/tlog-proof@v1"
HUGE = 2**63 - 1

# What the certificate-transparency projects publish: eight leaves, one path, one proof of growth.
PUBLISHED = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
PUBLISHED_PATH = [bytes.fromhex(text) for text in (
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
)]  # fmt: skip
PUBLISHED_GROWTH = [bytes.fromhex(text) for text in (
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
)]  # fmt: skip


def cases() -> list[Case]:
    return [*_inclusion(), *_consistency(), *_files()]


def _inclusion() -> Iterator[Case]:
    def ask(
        name: str, index: int, size: int, proof: Sequence[bytes], leaf: bytes, root: bytes,
        **more: object,
    ) -> Case:  # fmt: skip
        question = {
            "leaf_hash": leaf.hex(),
            "index": str(index),
            "size": str(size),
            "proof": [hash_.hex() for hash_ in proof],
            "root": root.hex(),
        }
        return Case("inclusion", name, {}, question, **more)  # type: ignore[arg-type]

    yield ask("published-leaf-5-of-8", 5, 8, PUBLISHED_PATH, tree.leaf_hash(PUBLISHED[5]),
              tree.root(PUBLISHED))  # fmt: skip
    for index, size in ((0, 1), (0, 7), (6, 7), (3, 7), (127, 128), (129, 130), (64, 130)):
        listed = BODIES[:size]
        yield ask(f"leaf-{index}-of-{size}", index, size, tree.path(index, listed),
                  tree.leaf_hash(BODIES[index]), tree.root(listed))  # fmt: skip
    seven = BODIES[:7]
    leaf, root, path = tree.leaf_hash(BODIES[3]), tree.root(seven), tree.path(3, seven)

    def bad(name: str, code: str, wrong: str, why: str, **changes: object) -> Case:
        given = {"index": 3, "size": 7, "proof": path, "leaf": leaf, "root": root} | changes
        return ask(name, code=code, wrong=wrong, why=why, **given)  # type: ignore[arg-type]

    length = "A proof has exactly as many hashes as index and size ask for: the rest would be " \
        "believed without a reason."  # fmt: skip
    place = "A proof shows that an entry stands in one place of one tree."
    yield bad("index-equal-to-size", "tree/out-of-range", "Leaf 7 of 7 is asked for.",
              "Leaves count from 0: there is no such leaf.", index=7)  # fmt: skip
    yield bad("index-beyond-size", "tree/out-of-range", "Leaf 1000 of 7 is asked for.",
              "There is no such leaf.", index=1000)  # fmt: skip
    yield bad("index-below-zero", "tree/out-of-range", "Leaf -1 is asked for.",
              "There is no such leaf.", index=-1)  # fmt: skip
    yield bad("size-zero", "tree/out-of-range", "The tree is empty.",
              "Nothing is in an empty tree.", index=0, size=0, proof=[], root=tree.root([]))  # fmt: skip
    yield bad("huge-index-and-size", "tree/proof-length", "Index and size are near 2**63.", length,
              index=HUGE - 1, size=HUGE)  # fmt: skip
    yield bad("missing-first-hash", "tree/proof-length", "The first hash is missing.", length,
              proof=path[1:])  # fmt: skip
    yield bad("missing-last-hash", "tree/proof-length", "The last hash is missing.", length,
              proof=path[:-1])  # fmt: skip
    yield bad("no-hashes", "tree/proof-length", "The proof is empty.", length, proof=[])
    yield bad("extra-hash", "tree/proof-length", "A hash is added at the end.", length,
              proof=[*path, path[0]])  # fmt: skip
    yield bad("repeated-hash", "tree/proof-length", "The first hash stands there twice.", length,
              proof=[path[0], *path])  # fmt: skip
    yield bad("extra-hash-for-one-leaf", "tree/proof-length",
              "A hash is given for a tree of one leaf.", length, index=0, size=1,
              leaf=tree.leaf_hash(BODIES[0]), root=tree.leaf_hash(BODIES[0]), proof=[path[0]])  # fmt: skip
    yield bad("swapped-hashes", "tree/not-included", "Two hashes have changed places.", place,
              proof=[path[1], path[0], *path[2:]])  # fmt: skip
    yield bad("reversed-proof", "tree/not-included", "The hashes run from the root to the leaf.",
              place, proof=path[::-1])  # fmt: skip
    yield bad("changed-hash", "tree/not-included", "One bit of a hash is changed.", place,
              proof=[bytes([path[0][0] ^ 1]) + path[0][1:], *path[1:]])  # fmt: skip
    yield bad("other-index", "tree/not-included", "The proof of leaf 3 is given for leaf 2.",
              "A log that could show one entry in two places could hide another one.", index=2)  # fmt: skip
    yield bad("other-size", "tree/not-included", "The proof for 7 leaves is given for 8.", place,
              size=8, root=tree.root(BODIES[:8]))  # fmt: skip
    yield bad("other-entry", "tree/not-included", "The leaf is that of another entry.", place,
              leaf=tree.leaf_hash(BODIES[4]))  # fmt: skip
    yield bad("other-root", "tree/not-included", "The root is that of another tree.", place,
              root=tree.root(BODIES[1:8]))  # fmt: skip
    inner = tree.root(BODIES[2:4])
    yield bad("inner-node-as-a-leaf", "tree/proof-length",
              "The hash of two entries together is given as that of an entry.",
              "Leaves and inner nodes are hashed differently so that none can pass as the other.",
              leaf=inner, index=1, size=4, proof=[tree.root(BODIES[:2])],
              root=tree.root(BODIES[:4]))  # fmt: skip
    yield bad("leaf-hashed-without-its-prefix", "tree/not-included",
              "The leaf is the SHA-256 of the entry without the byte 0x00 in front of it.",
              "RFC 6962 sets leaves apart from inner nodes by that byte.",
              leaf=hashlib.sha256(BODIES[3]).digest())  # fmt: skip
    hash_size = "A hash that is shorter or longer than 32 bytes is no SHA-256."
    yield bad("hash-of-31-bytes", "tree/hash-size", "A hash of the proof has 31 bytes.", hash_size,
              proof=[path[0][:-1], *path[1:]])  # fmt: skip
    yield bad("hash-of-33-bytes", "tree/hash-size", "A hash of the proof has 33 bytes.", hash_size,
              proof=[path[0] + b"\0", *path[1:]])  # fmt: skip
    yield bad("bytes-moved-between-hashes", "tree/hash-size",
              "One hash has 31 bytes and the next one has 33.", hash_size,
              proof=[path[0][:-1], path[0][-1:] + path[1], *path[2:]])  # fmt: skip
    yield bad("leaf-of-31-bytes", "tree/hash-size", "The leaf hash has 31 bytes.", hash_size,
              leaf=leaf[:-1])  # fmt: skip
    yield bad("empty-root", "tree/hash-size", "The root is empty.", hash_size, root=b"")


def _consistency() -> Iterator[Case]:
    def ask(
        name: str, old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes,
        **more: object,
    ) -> Case:  # fmt: skip
        question = {
            "old_size": str(old),
            "new_size": str(new),
            "proof": [hash_.hex() for hash_ in proof],
            "old_root": old_root.hex(),
            "new_root": new_root.hex(),
        }
        return Case("consistency", name, {}, question, **more)  # type: ignore[arg-type]

    roots = {size: tree.root(BODIES[:size]) for size in (0, 1, 3, 4, 6, 7, 8, 64, 65, 129, 130)}
    yield ask("published-6-to-8", 6, 8, PUBLISHED_GROWTH, tree.root(PUBLISHED[:6]),
              tree.root(PUBLISHED))  # fmt: skip
    for old, new in ((1, 7), (3, 7), (4, 7), (6, 7), (7, 8), (64, 65), (64, 130), (129, 130)):
        yield ask(f"{old}-to-{new}", old, new, tree.growth(old, BODIES[:new]), roots[old],
                  roots[new])  # fmt: skip
    yield ask("equal-sizes", 7, 7, [], roots[7], roots[7])
    from_nothing = "tlog.CheckTree takes no empty trees; whatever is there continues nothing."
    yield ask("from-nothing", 0, 7, [], roots[0], roots[7], strict={GO: from_nothing})
    yield ask("nothing-to-nothing", 0, 0, [], roots[0], roots[0], strict={GO: from_nothing})

    path = tree.growth(3, BODIES[:7])

    def bad(name: str, code: str, wrong: str, why: str, **changes: object) -> Case:
        given = {"old": 3, "new": 7, "proof": path, "old_root": roots[3], "new_root": roots[7]}
        return ask(name, code=code, wrong=wrong, why=why, **given | changes)  # type: ignore[arg-type]

    length = "A proof has exactly as many hashes as the two sizes ask for."
    begins = "The proof must show that the newer log begins with every entry of the older one."
    yield bad("shrinking", "tree/out-of-range", "The newer tree is the smaller one.",
              "A log never gets shorter.", old=7, new=3, old_root=roots[7], new_root=roots[3])  # fmt: skip
    yield bad("below-zero", "tree/out-of-range", "The older size is -1.", "There is no such tree.",
              old=-1)  # fmt: skip
    yield bad("equal-sizes-with-other-roots", "tree/inconsistent",
              "Both trees have 7 leaves and their roots differ.",
              "Two roots for one size are two histories: the log has forked.", old=7, new=7,
              proof=[], old_root=roots[6], new_root=roots[7])  # fmt: skip
    yield bad("equal-sizes-with-a-proof", "tree/proof-length",
              "A hash is given where none is needed.", length, old=7, new=7,
              old_root=roots[7], proof=[path[0]])  # fmt: skip
    yield bad("from-nothing-with-a-proof", "tree/proof-length",
              "A hash is given where none is needed.", length, old=0, old_root=roots[0],
              proof=[path[0]])  # fmt: skip
    yield bad("from-nothing-with-another-root", "tree/inconsistent",
              "The older tree is empty and its root is not that of nothing.",
              "The root of an empty tree is the SHA-256 of nothing (RFC 6962, section 2.1).",
              old=0, proof=[], old_root=roots[3])  # fmt: skip
    yield bad("no-hashes", "tree/proof-length", "The proof is empty.", length, proof=[])
    yield bad("no-hashes-from-a-power-of-two", "tree/proof-length", "The proof is empty.", length,
              old=4, old_root=roots[4], proof=[])  # fmt: skip
    yield bad("missing-first-hash", "tree/proof-length", "The first hash is missing.", length,
              proof=path[1:])  # fmt: skip
    yield bad("missing-last-hash", "tree/proof-length", "The last hash is missing.", length,
              proof=path[:-1])  # fmt: skip
    yield bad("extra-hash", "tree/proof-length", "A hash is added at the end.", length,
              proof=[*path, path[0]])  # fmt: skip
    yield bad("swapped-hashes", "tree/inconsistent", "Two hashes have changed places.", begins,
              proof=[path[1], path[0], *path[2:]])  # fmt: skip
    yield bad("changed-hash", "tree/inconsistent", "One bit of a hash is changed.", begins,
              proof=[*path[:-1], bytes([path[-1][0] ^ 1]) + path[-1][1:]])  # fmt: skip
    yield bad("other-old-size", "tree/proof-length", "The proof from 3 is given for 4 leaves.",
              begins, old=4, old_root=roots[4])  # fmt: skip
    yield bad("other-new-size", "tree/inconsistent", "The proof to 7 is given for 8 leaves.",
              begins, new=8, new_root=roots[8])  # fmt: skip
    yield bad("swapped-roots", "tree/inconsistent", "The two roots have changed places.", begins,
              old_root=roots[7], new_root=roots[3])  # fmt: skip
    rewritten = [BODIES[0], b"rewritten", *BODIES[2:7]]
    yield bad("history-rewritten", "tree/inconsistent",
              "Entry 1 was changed between the two trees; the proof is an honest one of the newer "
              "tree.", begins, proof=tree.growth(3, rewritten), new_root=tree.root(rewritten))  # fmt: skip
    removed = [*BODIES[1:8]]
    yield bad("entry-removed", "tree/inconsistent", "Entry 0 was removed between the two trees.",
              begins, proof=tree.growth(3, removed), new_root=tree.root(removed))  # fmt: skip
    yield bad("huge-sizes", "tree/proof-length", "Both sizes are near 2**63.", length,
              old=HUGE - 2, new=HUGE)  # fmt: skip
    yield bad("hash-of-31-bytes", "tree/hash-size", "A hash has 31 bytes.",
              "A hash that is shorter or longer than 32 bytes is no SHA-256.",
              proof=[path[0][:-1], *path[1:]])  # fmt: skip


def proof_text(
    index: object, path: Sequence[bytes], checkpoint: str, extra: bytes | None = None
) -> str:
    lines = [HEADER, *([f"extra {base64_text(extra)}"] if extra is not None else []),
             f"index {index}", *map(base64_text, path)]  # fmt: skip
    return "\n".join(lines) + "\n\n" + checkpoint


def _files() -> Iterator[Case]:
    seven = BODIES[:7]
    note = sign_note(checkpoint_text(7, tree.root(seven)))
    path = tree.path(3, seven)
    text = proof_text(3, path, note)

    def ask(name: str, proof: str, entry: bytes = BODIES[3], **more: object) -> Case:
        files = {"proof.tlog-proof": proof.encode("utf-8"), "entry.json": entry}
        question = {"origin": ORIGIN, "keys": [LOG_KEY]}
        return Case("tlog-proof", name, files, question, **more)  # type: ignore[arg-type]

    def bad(
        name: str, proof: str, code: str, wrong: str, why: str, entry: bytes = BODIES[3],
        lenient: Mapping[str, str] | None = None,
    ) -> Case:  # fmt: skip
        return ask(name, proof, entry, code=code, wrong=wrong, why=why, lenient=lenient or {})

    yield ask("entry-3-of-7", text, answer={"index": "3", "size": "7"})
    yield ask("with-extra-bytes", proof_text(3, path, note, b"anything"),
              answer={"index": "3", "size": "7"})  # fmt: skip
    yield ask("with-empty-extra-bytes", proof_text(3, path, note, b""),
              answer={"index": "3", "size": "7"})  # fmt: skip
    one = sign_note(checkpoint_text(1, tree.leaf_hash(BODIES[0])))
    yield ask("only-entry", proof_text(0, [], one), BODIES[0], answer={"index": "0", "size": "1"})

    form = "The file has one form, line by line (c2sp.org/tlog-proof)."
    entry = "The file proves one entry, byte for byte."
    yield bad("another-entry", text, "tree/not-included", "The entry is another one.", entry,
              BODIES[4])  # fmt: skip
    yield bad("space-after-the-entry", text, "tree/not-included",
              "A space follows the entry: the same JSON and other bytes.", entry,
              BODIES[3] + b" ")  # fmt: skip
    yield bad("other-index", proof_text(2, path, note), "tree/not-included",
              "The index is that of another entry.", entry)  # fmt: skip
    yield bad("index-equal-to-size", proof_text(7, path, note), "tree/out-of-range",
              "The index is the size of the tree.", "Entries count from 0.")  # fmt: skip
    yield bad("signed-by-a-stranger", proof_text(
        3, path, sign_note(checkpoint_text(7, tree.root(seven)), ORIGIN, WITNESS)),
        "note/unknown-key", "The checkpoint is signed with another key.",
        "The path leads to a root; only the key of the log says that it is its root.")  # fmt: skip
    yield bad("unsigned-checkpoint", proof_text(3, path, checkpoint_text(7, tree.root(seven))),
              "note/no-signature", "The checkpoint has no signature.",
              "Anybody can build a tree around anything.")  # fmt: skip
    other = sign_note(checkpoint_text(7, tree.root(seven), "other.example/log"))
    yield bad("checkpoint-of-another-log", proof_text(3, path, other), "note/other-log",
              "The checkpoint names another log.", "An entry of one log is none of another.")  # fmt: skip
    yield bad("swapped-hashes", proof_text(3, [path[1], path[0], path[2]], note),
              "tree/not-included", "Two hashes have changed places.", entry)  # fmt: skip
    yield bad("missing-hash", proof_text(3, path[:-1], note), "tree/proof-length",
              "The last hash of the path is missing.", entry)  # fmt: skip
    yield bad("extra-hash", proof_text(3, [*path, path[0]], note), "tree/proof-length",
              "A hash is added to the path.", entry)  # fmt: skip
    yield bad("sixty-four-hashes", proof_text(3, [path[0]] * 64, note), "proof/bad-format",
              "The path has 64 hashes.", "No tree that fits into 63 bits is so deep.")  # fmt: skip
    for name, proof, wrong in (
        ("another-version", text.replace("@v1", "@v2"), "The first line says version 2."),
        ("without-header", text.partition("\n")[2], "The first line is missing."),
        ("byte-order-mark", "\ufeff" + text, "The file begins with U+FEFF."),
        ("without-index", text.replace("index 3\n", ""), "The line with the index is missing."),
        ("index-with-a-leading-zero", proof_text("03", path, note), "The index is 03."),
        ("index-below-zero", proof_text(-3, path, note), "The index is negative."),
        (
            "index-of-two-to-the-64-plus-3",
            proof_text(2**64 + 3, path, note),
            "The index becomes 3 in 64 bits.",
        ),
        ("index-in-arabic-digits", proof_text("\u0663", path, note), "The index is U+0663."),
        (
            "index-before-extra",
            text.replace("index 3\n", "index 3\nextra AAAA\n"),
            "The extra line follows the index.",
        ),
        (
            "two-indexes",
            text.replace("index 3\n", "index 3\nindex 3\n"),
            "The index stands there twice.",
        ),
        ("carriage-returns", text.replace("\n", "\r\n"), "Lines end in CR LF."),
        (
            "hash-of-31-bytes",
            proof_text(3, [path[0][:-1], *path[1:]], note),
            "A hash of the path has 31 bytes.",
        ),
        (
            "hash-of-33-bytes",
            proof_text(3, [path[0] + b"\0", *path[1:]], note),
            "A hash of the path has 33 bytes.",
        ),
        (
            "hash-in-hexadecimal",
            text.replace(base64_text(path[0]), path[0].hex()),
            "A hash is written in hexadecimal.",
        ),
        (
            "hash-without-padding",
            text.replace(base64_text(path[0]), base64_text(path[0])[:-1]),
            "The base64 of a hash lacks its padding.",
        ),
        ("truncated", text[:60], "The file ends in the middle of the path."),
        ("empty-file", "", "The file is empty."),
    ):
        yield bad(name, proof, "proof/bad-format", wrong, form)
    yield bad("extra-base64-with-stray-bits", text.replace("index 3\n", "extra YR==\nindex 3\n"),
              "proof/bad-format", "The base64 of the extra line is not in its one spelling.", form,
              lenient={GO: "encoding/base64 ignores stray bits unless it is told to be strict."})  # fmt: skip
    yield bad("blank-line-missing", text.replace("\n\n", "\n", 1), "proof/bad-format",
              "No empty line separates path and checkpoint.", form)  # fmt: skip
    yield bad("garbage-after-the-checkpoint", text + "garbage\n", "note/garbage",
              "A line follows the signatures.", "It was not signed and might be taken for signed.")  # fmt: skip
