"""Cases, reviews and rollouts for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from guiderail.core.digest import short
from guiderail.render import words
from guiderail.render.evidence_text import evidence_rows
from guiderail.render.interview_text import interview_lines
from guiderail.render.lines import Line, Style, columns, heading, paragraph

STATE_SENTENCE = {
    "needs-answers": "Questions are open that only you can answer.",
    "in-review": "People are looking at it.",
    "changes-requested": "A reviewer asked for changes.",
    "approved": "Everybody approved; the permit is being issued.",
    "permitted": "The permit is signed; it may start.",
    "rolling": "Traffic is moving to it.",
    "paused": "The rollout is on hold.",
    "live": "It serves everybody.",
    "rolled-back": "It was in production and was taken back.",
    "retired": "A newer release serves now.",
    "rejected": "A reviewer rejected it.",
    "withdrawn": "It was withdrawn.",
    "void": "It changed after it was submitted; nothing of it counts any more.",
    "aborted": "Its rollout was aborted.",
}

_TRACK_STYLES: dict[str, Style] = {"green": "green", "yellow": "yellow", "red": "red"}


def case_list(rows: Sequence[Mapping[str, Any]]) -> list[Line]:
    """One line per case; rows have the keys of `guiderail status --format json`."""
    if not rows:
        return paragraph("No cases yet. `guiderail submit DIR` opens the first one.")
    return columns(
        (
            row["case"],
            f"{row['workload']} {row['version']}",
            row["track"],
            row["state"],
            "waits for " + ", ".join(words.role(name) for name in row["waiting_for"])
            if row["waiting_for"]
            else "",
        )
        for row in rows
    )


def workload_list(rows: Sequence[Mapping[str, Any]]) -> list[Line]:
    lines = heading("Workloads")
    if not rows:
        return lines + paragraph("Nothing was ever submitted here.", indent=2)
    return lines + columns(
        (
            row["workload"],
            row["kind"],
            f"in production: {row['production_version'] or 'nothing'}",
            f"before: {row['previous_version']}" if row["previous_version"] else "",
        )
        for row in rows
    )


def case_page(document: Mapping[str, Any]) -> list[Line]:
    """Everything about one case, from the document of `guiderail case show`."""
    lines = [
        Line(
            f"{document['case']}: {document['workload']} {document['version']} is "
            f"{document['state']}.",
            "bold",
        )
    ]
    lines += paragraph(STATE_SENTENCE.get(document["state"], ""))
    lines += paragraph(
        f"Submitted by {document['submitter']} on {document['created_at'][:16]}. Release "
        f"{short(document['release_digest'])}, dossier {short(document['dossier_digest'])}.",
        style="dim",
    )
    lines += _workers(document["contributors"])
    lines += waiting_lines(document["waiting"])
    lines += reasons(document["decision"])
    lines += interview_lines(document["interview"], document["state"])
    lines += _reviews(document["reviews"])
    if document["permit"]:
        lines += heading("Permit")
        lines += paragraph(
            f"{document['permit']['id']} for {document['permit']['environment']}", indent=2
        )
    if document["evidence"]:
        lines += heading("Evidence")
        lines += evidence_rows(document["evidence"])
    lines += heading("What happened")
    for event in document["events"]:
        lines += paragraph(f"{event['at'][:19]}  {event['sentence']}", indent=2, hang=21)
    return lines


def _workers(contributors: Sequence[str]) -> list[Line]:
    """Who worked on it; strangers to the register and a cut history are said as such."""
    known = [name for name in contributors if ":" not in name]
    strangers = [name.removeprefix("email:") for name in contributors if name.startswith("email:")]
    lines = paragraph(f"Worked on by: {', '.join(known)}.", style="dim")
    if strangers:
        lines += paragraph(f"Not in people.yaml, so nobody can say who: {', '.join(strangers)}.")
    if any(name.startswith("history:") for name in contributors):
        lines += paragraph(
            "The clone it was submitted from is shallow: earlier authors are not known."
        )
    return lines


def waiting_lines(waiting: Sequence[Mapping[str, Any]]) -> list[Line]:
    """Who is waited for and because of what."""
    if not waiting:
        return []
    lines = heading("Waits for")
    for item in waiting:
        who = ", ".join(item["people"]) or "nobody in people.yaml can take this"
        lines += paragraph(f"{words.role(item['role'])}: {who}", indent=2, hang=2)
        lines += paragraph(
            f"because of {', '.join(item['because'])}", indent=6, hang=2, style="dim"
        )
    return lines


def reasons(decision: Mapping[str, Any]) -> list[Line]:
    """Track and tier with their sentences, from a stored decision."""
    track = decision["track"]
    lines = heading(f"Track {track['value']}, tier {decision['tier']['value']}")
    gates = {gate["id"] for gate in decision["gates"]}
    rules = [reason for reason in track["reasons"] if reason["rule"] not in gates]
    tier = decision["tier"]
    setting = [reason for reason in tier["reasons"] if reason["raises_to"] == tier["value"]]
    for reason in [*rules, *setting]:
        style = _TRACK_STYLES.get(reason["raises_to"], "plain")
        lines += paragraph(
            f"{reason['raises_to']}  {reason['sentence']} [{reason['rule']}]",
            indent=2,
            hang=2,
            style=style,
        )
    unsettled = [reason["rule"] for reason in track["reasons"] if reason["rule"] in gates]
    if unsettled:
        lines += paragraph(
            f"Gates without enough evidence: {', '.join(unsettled)}", indent=2, hang=2
        )
    return lines


def gates(decision: Mapping[str, Any], role: str | None = None) -> list[Line]:
    """The gates that did not pass; those that `role` owns come with what accepting means."""
    open_ones = [
        gate
        for gate in decision["gates"]
        if gate["enforced"] and gate["verdict"] not in ("pass", "not_applicable")
    ]
    if not open_ones:
        return []
    lines = heading("Gates that did not pass")
    for gate in open_ones:
        mine = " Approving accepts this." if gate["owner"] == role else ""
        lines += paragraph(
            f"{gate['verdict']}  {gate['id']}: {gate['sentence']}{mine}", indent=2, hang=2
        )
    return lines


def _reviews(rows: Sequence[Mapping[str, Any]]) -> list[Line]:
    if not rows:
        return []
    lines = heading("Reviews")
    for row in rows:
        text = f"{row['person']} as {words.role(row['role'])}: {row['verdict']}"
        if row["reason"]:
            text += f", {row['reason']}"
        if not row["counts"]:
            text += " (given on an earlier dossier; does not count)"
        lines += paragraph(text, indent=2, hang=2)
        for condition in row["conditions"]:
            lines += paragraph(f"condition: {condition}", indent=6, hang=2)
    return lines


def step_line(document: Mapping[str, Any]) -> Line:
    """One step of a rollout."""
    share = document["percent"]
    bar = "#" * round(share / 5)
    return Line(f"  {share:>3} % [{bar:<20}] {document['state']}")


def plan_lines(document: Mapping[str, Any]) -> list[Line]:
    """What going back means, before anything moves."""
    goal = document["to_version"] or document["to"]
    lines = [Line(f"Going back: {document['workload']} to {goal}.", "bold")]
    for sentence in document["sentences"]:
        lines += paragraph(f"- {sentence}", indent=2, hang=2)
    for direction, count in list(document["directions"].items())[:6]:
        lines += paragraph(f"{direction}: {count}", indent=6)
    return lines
