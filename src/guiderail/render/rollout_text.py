"""What should run and what runs, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guiderail.core.digest import short
from guiderail.render.isolation_text import isolation_lines
from guiderail.render.lines import Line, heading, paragraph


def rollout_lines(document: Mapping[str, Any]) -> list[Line]:
    """The document of `guiderail rollout status`."""
    lines: list[Line] = []
    for row in document["workloads"]:
        version = row["production_version"] or "nothing"
        lines += heading(f"{row['workload']}: {version} is in production")
        if row["rollout"]:
            rollout = row["rollout"]
            lines += paragraph(
                f"{rollout['kind']} of {short(rollout['to'])} is {rollout['state']} at "
                f"{rollout['percent']} % ({rollout['case']})",
                indent=2,
            )
    if not document["workloads"]:
        lines += paragraph("Nothing was ever submitted here.")
    return lines + gateway_lines(document["gateway"])


def gateway_lines(document: Mapping[str, Any]) -> list[Line]:
    """What the gateway says about itself."""
    if not document["running"]:
        return heading("The gateway is not running") + paragraph(
            "`guiderail serve start` starts it; it serves what it served last, after checking "
            "every permit.",
            indent=2,
        )
    lines = heading(f"The gateway serves at {document['url']}")
    for row in document["workloads"]:
        for arm in row["arms"]:
            state = arm["tripped"] or ("running" if arm["running"] else "restarting")
            lines += paragraph(
                f"{row['workload']} {short(arm['digest'])} gets {arm['share']} %: {state}; "
                f"{arm['permit']}",
                indent=2,
                hang=2,
            )
            if arm["isolation"]:
                lines += isolation_lines(arm["isolation"], indent=4)
        for arm in row["refused"]:
            lines += paragraph(f"refused: {arm['reason']}", indent=2, hang=2, style="red")
        if row["control"] == "kept":
            lines += paragraph(
                f"keeps the last approved state: {row['control_reason']}", indent=2, hang=2
            )
    lines += paragraph(f"{document['recorded']} decisions recorded", indent=2, style="dim")
    return lines
