"""`guiderail policy propose`, `approve`, `reject`, `withdraw` and `status`: changing the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guiderail.cli.options import act_as, formats, workspace
from guiderail.cli.output import print_json, print_lines, progress

if TYPE_CHECKING:
    from guiderail.service.workspace import Workspace

_reason = click.option("--reason", default="", help="What for; the other people read it.")
_role = click.option("--role", metavar="ROLE", help="In which role, if you hold several.")


@click.command(epilog='Example: guiderail policy propose policies/ours --reason "PSI limit"')
@click.argument("pack")
@_reason
@click.option("--effective", metavar="DATE", help="First day; default: effective_from of the pack.")
@act_as
@formats()
def propose(
    pack: str, reason: str, effective: str | None, act_as: str | None, format_: str
) -> None:
    """Ask the owners to put a pack into force.

    PACK is a directory, `model`, `app` or `pipeline` for the one that ships, or the digest of one
    that was in force before. Every check, example and proof has to hold. The pack in force stays
    in force until the last owner has approved and the day has come.
    """
    from guiderail.service.policy_change import propose as propose_pack

    place = workspace(act_as)
    with progress("checking the pack") as report:
        change = propose_pack(place, pack, reason=reason, effective=effective, progress=report)
    _show(place, change.id, format_)


@click.command(epilog="Example: guiderail policy approve change-0001 --as mira.okafor")
@click.argument("change")
@_role
@_reason
@act_as
@formats()
def approve(change: str, role: str | None, reason: str, act_as: str | None, format_: str) -> None:
    """Approve a change in your role. Nobody approves what they wrote."""
    _decide(change, "approve", role, reason, act_as, format_)


@click.command(epilog='Example: guiderail policy reject change-0001 --reason "too light"')
@click.argument("change")
@_role
@_reason
@act_as
@formats()
def reject(change: str, role: str | None, reason: str, act_as: str | None, format_: str) -> None:
    """Reject a change, with a reason that its author reads."""
    _decide(change, "reject", role, reason, act_as, format_)


@click.command(epilog="Example: guiderail policy withdraw change-0001")
@click.argument("change")
@_reason
@act_as
@formats()
def withdraw(change: str, reason: str, act_as: str | None, format_: str) -> None:
    """Take back a change that is not in force yet."""
    from guiderail.service.policy_change import withdraw_change

    place = workspace(act_as)
    withdraw_change(place, change, reason=reason)
    _show(place, change, format_)


@click.command(epilog="Example: guiderail policy status change-0001")
@click.argument("change", required=False)
@act_as
@formats()
def status(change: str | None, act_as: str | None, format_: str) -> int:
    """What is in force, what comes, and who is waited for; or one change with all its evidence."""
    from guiderail.render.policy_change_text import status_lines
    from guiderail.service.policy_status import policy_status

    place = workspace(act_as)
    if change is not None:
        _show(place, change, format_)
        return 0
    document = policy_status(place)
    print_json(document) if format_ == "json" else print_lines(status_lines(document))
    return int(bool(document["refused"]))


def _decide(
    change: str, verdict: str, role: str | None, reason: str, act_as: str | None, format_: str
) -> None:
    from guiderail.service.policy_change import decide_change

    place = workspace(act_as)
    decide_change(place, change, verdict, role=role, reason=reason)
    _show(place, change, format_)


def _show(place: Workspace, change: str, format_: str) -> None:
    from guiderail.render.policy_change_text import change_lines
    from guiderail.service.policy_status import show_change

    document = show_change(place, change)
    print_json(document) if format_ == "json" else print_lines(change_lines(document))
