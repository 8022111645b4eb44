"""How things stood on a past day, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from guiderail.core.digest import short
from guiderail.render.lines import Line, paragraph


def as_of_lines(document: Mapping[str, Any]) -> list[Line]:
    """Inventory, policy and people, each under its heading."""
    at = document["at"]
    lines = [Line(f"As of {at[:10]} {at[11:19]} UTC, by {document['entries']} entries.", "bold")]
    for heading, rows in (
        ("What ran", _inventory(document)),
        ("Policy in force", _policy(document)),
        ("Roles and training", _people(document)),
    ):
        lines += [Line(""), Line(heading, "bold")]
        for row in rows:
            lines += paragraph(f"- {row}", indent=2, hang=2)
    if document["untold"]:
        lines += [Line("")]
        lines += paragraph(
            f"Not known: what {len(document['untold'])} entries changed, whose details were erased "
            f"(entries {', '.join(map(str, document['untold']))})."
        )
    return lines


def _inventory(document: Mapping[str, Any]) -> Iterator[str]:
    for row in document["inventory"]:
        since = f" since {row['since'][:10]}" if row["since"] else ""
        yield (
            f"{row['workload']} {row['version']} ({short(row['release'])}): {row['share']} % of "
            f"traffic{since}, {row['case']}, tier {row['tier']}, track {row['track']}, owner "
            f"{row['owner'] or 'not recorded'}."
        )
    if not document["inventory"]:
        yield "Nothing."


def _policy(document: Mapping[str, Any]) -> Iterator[str]:
    for row in document["policy"]:
        change = f", by {row['change']}" if row["change"] else ""
        yield (
            f"{row['kind']}: {row['pack']} {row['version']} ({short(row['digest'])}) since "
            f"{row['effective_at'][:10]}{change}."
        )


def _people(document: Mapping[str, Any]) -> Iterator[str]:
    if document["people"] is None:
        yield "Not recorded: no register of people was in the ledger yet."
        return
    for row in document["people"]:
        roles = ", ".join(row["roles"]) or "no role"
        trained = "; ".join(
            f"{one['role']} for {', '.join(one['kinds'])} until {one['until']}"
            + ("" if one["in_date"] else " (over)")
            for one in row["competence"]
        )
        yield f"{row['person']}: {roles}. Training: {trained or 'none'}."
