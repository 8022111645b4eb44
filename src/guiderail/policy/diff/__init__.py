"""Two packs compared by what they decide, not by how they are written.

`diff_packs` names every part that differs, says whether releases get lighter or heavier by it, and
shows a release about which both packs were asked. `lightened` gives what an organisation's pack
makes lighter than the pack it extends.
"""

from __future__ import annotations

from collections.abc import Sequence

from guiderail.policy.diff.change import Change, Direction, Example, PackDiff
from guiderail.policy.diff.parts import Packs, part_changes
from guiderail.policy.diff.settings import fact_changes, setting_changes, wording_changes
from guiderail.policy.pack import Pack

__all__ = ["Change", "Direction", "Example", "PackDiff", "diff_packs", "lightened"]


def diff_packs(old: Pack, new: Pack, kinds: Sequence[str] = ()) -> PackDiff:
    """Every difference between two packs, with examples.

    kinds: kinds of workload to compare; all that both packs decide about when empty. Rules are
    compared from the first day on which both packs are in force, and on every later day on which
    one of them begins or ends to count.
    """
    packs = _packs(old, new, kinds)
    changes: list[Change] = []
    if old.digest != new.digest:
        changes += [*part_changes(packs), *setting_changes(packs), *fact_changes(packs)]
    return PackDiff(old.ref, new.ref, packs.kinds, (*changes, *wording_changes(packs)))


def lightened(base: Pack, pack: Pack) -> tuple[Change, ...]:
    """What a pack makes lighter than the pack it extends, or what could not be decided."""
    packs = _packs(base, pack, ())
    changes = (*part_changes(packs, only=("lighter",)), *setting_changes(packs))
    return tuple(one for one in changes if one.direction == "lighter" or not one.decided)


def _packs(old: Pack, new: Pack, kinds: Sequence[str]) -> Packs:
    shared = tuple(kind for kind in old.kinds if kind in new.kinds)
    start = max(str(old.tree["effective_from"]), str(new.tree["effective_from"]))
    return Packs(old, new, tuple(kinds) or shared, start)
