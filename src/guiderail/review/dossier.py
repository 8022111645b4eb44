"""The dossier: exactly what a reviewer is shown and approves, with one digest over all of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

from guiderail.core.digest import Digest, canonical_json, json_digest, short
from guiderail.core.errors import IntegrityError


@dataclass(frozen=True, slots=True)
class Dossier:
    """Release digest, facts with sources, answers, people who worked on it, and the pack.

    facts, answers and decision are canonical JSON values (no floats). The decision is what the
    pack said about the facts; the digest covers it, so that a reviewer approves that decision.
    """

    release_digest: Digest
    facts: Mapping[str, Any]
    answers: Mapping[str, Any]
    contributors: tuple[str, ...]
    pack_digest: str
    decision: Mapping[str, Any]
    erased: bool = False
    """Names in it were erased, so it is no longer what was shown; nothing new may rest on it."""

    @property
    def digest(self) -> Digest:
        return json_digest(
            {
                "release": self.release_digest,
                "facts": dict(self.facts),
                "answers": self._answers(),
                "pack": self.pack_digest,
                "decision": json_digest(dict(self.decision)),
            }
        )

    def _answers(self) -> dict[str, Any]:
        return {"answers": dict(self.answers), "contributors": list(self.contributors)}

    def columns(self) -> dict[str, Any]:
        """The dossier as the values of its row."""
        return {
            "digest": self.digest,
            "release_digest": self.release_digest,
            "facts": canonical_json(dict(self.facts)),
            "answers": canonical_json(self._answers()),
            "pack_digest": self.pack_digest,
            "decision": canonical_json(dict(self.decision)),
        }

    @classmethod
    def from_columns(cls, row: RowMapping) -> Dossier:
        """Read a row. Raises IntegrityError where it does not give the digest it stands under."""
        try:
            people = json.loads(row["answers"])
            dossier = cls(
                release_digest=Digest(row["release_digest"]),
                facts=json.loads(row["facts"]),
                answers=people["answers"],
                contributors=tuple(people["contributors"]),
                pack_digest=row["pack_digest"],
                decision=json.loads(row["decision"]),
                erased=row["left_digest"] is not None,
            )
            same = dossier.digest == (row["left_digest"] or row["digest"])
        except (ValueError, TypeError, KeyError) as error:
            raise _changed(row["digest"]) from error
        if not same:
            raise _changed(row["digest"])
        return dossier

    @property
    def needed_roles(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Roles that must review, each with the rules and gates that ask for it."""
        return tuple((need["role"], tuple(need["because"])) for need in self.decision["reviewers"])

    def insufficient_gates(self, role: str) -> tuple[str, ...]:
        """Gates that this role owns and would accept as they are."""
        return tuple(
            gate["id"]
            for gate in self.decision["gates"]
            if gate["enforced"] and gate["verdict"] == "insufficient" and gate["owner"] == role
        )


def _changed(digest: str) -> IntegrityError:
    return IntegrityError(
        f"the stored dossier {short(digest)} is not the one that was decided on and shown",
        code="integrity/dossier",
        advice="Run `guiderail ledger verify`, then restore the workspace from a backup.",
    )
