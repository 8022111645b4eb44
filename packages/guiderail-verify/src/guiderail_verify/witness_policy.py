"""How many of which witnesses must have cosigned a checkpoint (c2sp.org/tlog-policy)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from guiderail_verify.cosignature import Cosignature, WitnessKey, cosignatures
from guiderail_verify.errors import VerifyError
from guiderail_verify.note import NoteKey, parse_decimal

_CODE = "witness/bad-policy"
_ANY_SPACE = re.compile(r"[ \t]+")
_NONE = "none"


@dataclass(frozen=True, slots=True)
class WitnessPolicy:
    """`quorum` of the keys must have cosigned. Raises VerifyError where that cannot be.

    No two keys may have the same public key: one witness under two names is still one.
    """

    keys: tuple[WitnessKey, ...]
    quorum: int

    def __post_init__(self) -> None:
        if len({key.public for key in self.keys}) != len(self.keys):
            raise VerifyError(_CODE, "Two of the witnesses have the same public key.")
        if not 0 <= self.quorum <= len(self.keys) or (self.keys and not self.quorum):
            raise VerifyError(
                _CODE, f"{self.quorum} of {len(self.keys)} witnesses cannot be required."
            )

    def reached(self, note: str) -> Quorum:
        """What the note shows. Raises VerifyError as `cosignatures` does."""
        return Quorum(self, cosignatures(note, self.keys))

    def to_text(self, log: Iterable[NoteKey], urls: Mapping[str, str]) -> str:
        """The policy file for other tools.

        log: the keys that sign for it now. urls: name of a witness -> its submission prefix.
        """
        lines = [f"log {key.to_text()}" for key in log]
        for key in self.keys:
            lines.append(f"witness {key.name} {key.to_text()} {urls.get(key.name, '')}".rstrip())
        if not self.keys:
            return "\n".join((*lines, f"quorum {_NONE}")) + "\n"
        group = _free_name({key.name for key in self.keys})
        lines.append(f"group {group} {self.quorum} " + " ".join(key.name for key in self.keys))
        return "\n".join((*lines, f"quorum {group}")) + "\n"


@dataclass(frozen=True, slots=True)
class Quorum:
    """The good cosignatures on one checkpoint, measured by a policy."""

    policy: WitnessPolicy
    found: tuple[Cosignature, ...]

    @property
    def time(self) -> int | None:
        """POSIX seconds since which the quorum stands; None where it is not reached.

        Each witness may have signed at another time: the quorum's is that of its oldest member,
        when the newest ones are taken.
        """
        if not self.policy.quorum or len(self.found) < self.policy.quorum:
            return None
        return sorted((one.time for one in self.found), reverse=True)[self.policy.quorum - 1]


def majority(count: int) -> int:
    """More than half: two such groups share a witness, who would have to sign two histories."""
    return count // 2 + 1 if count else 0


def parse_policy(text: str) -> WitnessPolicy:
    """Read a policy file whose quorum is one witness, one group of witnesses, or `none`.

    Groups of groups are refused: they cannot be said as "N of these witnesses".
    Raises VerifyError `witness/bad-policy`.
    """
    witnesses: dict[str, WitnessKey] = {}
    groups: dict[str, tuple[int, tuple[str, ...]]] = {}
    quorum: list[str] = []
    for line in text.split("\n"):
        words = [word for word in _ANY_SPACE.split(line) if word]
        match words:
            case [] | ["log", _] | ["log", _, _]:
                continue
            case [first, *_] if first.startswith("#"):
                continue
            case ["witness", name, key] | ["witness", name, key, _] if _is_new(
                name, witnesses, groups
            ):
                witnesses[name] = WitnessKey.from_text(key)
            case ["group", name, needed, *members] if members and _is_new(name, witnesses, groups):
                groups[name] = _group(needed, members)
            case ["quorum", name] if not quorum:
                quorum.append(name)
            case _:
                raise VerifyError(_CODE, f"The policy has the line {line[:80]!r}.")
    return _chosen(quorum, witnesses, groups)


def _chosen(
    quorum: list[str],
    witnesses: Mapping[str, WitnessKey],
    groups: Mapping[str, tuple[int, tuple[str, ...]]],
) -> WitnessPolicy:
    if quorum == [_NONE]:
        return WitnessPolicy((), 0)
    name = quorum[0] if quorum else ""
    needed, members = groups.get(name, (1, (name,)))
    if not name or len(set(members)) != len(members) or not _all_known(members, witnesses):
        raise VerifyError(
            _CODE, "The policy's quorum is not a witness or a group of witnesses that it names."
        )
    return WitnessPolicy(tuple(witnesses[member] for member in members), needed)


def _all_known(members: Iterable[str], witnesses: Mapping[str, WitnessKey]) -> bool:
    return all(member in witnesses for member in members)


def _group(needed: str, members: list[str]) -> tuple[int, tuple[str, ...]]:
    least = {"all": len(members), "any": 1}.get(needed)
    return least if least is not None else parse_decimal(needed, _CODE), tuple(members)


def _is_new(name: str, *known: Mapping[str, object]) -> bool:
    return name != _NONE and not any(name in names for names in known)


def _free_name(taken: set[str]) -> str:
    name = "witnesses"
    while name in taken:
        name += "-"
    return name
