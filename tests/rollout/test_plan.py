"""The plan for going back: said before anything moves, and never more certain than the facts."""

from guiderail.core.interval import Interval
from guiderail.facts.fact import Unknown
from guiderail.rollout.plan import GroupFlips, check_contract, plan_rollback

OLD, NEW = "sha256:" + "1" * 64, "sha256:" + "2" * 64
OFFERED = [("income", "number"), ("debt", "number"), ("city", "text")]


def plan(**changes):
    facts = {
        "from_digest": NEW,
        "to_digest": OLD,
        "contract": check_contract([("income", "number")], OFFERED),
        "flips": Interval(6.5, 4.9, 8.6),
        "groups": [GroupFlips("women", 100, 9), GroupFlips("men", 200, 10)],
        "tell": ["sales", "fraud operations", "sales"],
        **changes,
    }
    return plan_rollback("credit", **facts)


def test_the_plan_says_contract_flips_groups_and_teams_in_this_order():
    assert plan().sentences == (
        "Serving offers every input (1) with equal types.",
        "6.5 % of decisions flip (95 % interval 4.9 to 8.6 %).",
        "Most in group women: 9 of 100 (9.0 %).",
        "Will be told: sales, fraud operations.",
    )
    assert plan().allowed


def test_a_contract_that_does_not_fit_forbids_going_back():
    broken = check_contract([("income", "text"), ("region", "text")], OFFERED)
    assert broken.fits is False
    assert broken.missing == ("region",)
    assert broken.retyped == (("income", "text", "number"),)
    assert broken.sentence == (
        "The contract does not fit: serving does not offer region; income is number and the "
        "version asks for text."
    )
    assert not plan(contract=broken).allowed


def test_what_cannot_be_read_is_unknown_and_not_fitting():
    for needs, offers in ((None, OFFERED), (OFFERED, None)):
        contract = check_contract(needs, offers)
        assert contract.fits is None
        assert "unknown" in contract.sentence
    assert check_contract([("income", "unknown")], OFFERED).fits is None


def test_a_missing_input_is_a_misfit_even_where_types_are_unknown():
    assert check_contract([("income", "unknown"), ("gone", "unknown")], OFFERED).fits is False


def test_unknown_flips_are_said_and_never_shown_as_none():
    sentences = plan(flips=Unknown("the evaluation data are missing")).sentences
    assert sentences[1] == (
        "It is unknown how many decisions flip: the evaluation data are missing."
    )


def test_empty_groups_and_no_teams_are_said_as_they_are():
    shown = plan(groups=[GroupFlips("women", 0, 0)], tell=[])
    assert shown.sentences[-1] == "No team is named to be told."
    assert not any("group" in sentence for sentence in shown.sentences)


def test_going_back_to_what_runs_says_so_first():
    assert plan(to_digest=NEW).sentences[0] == "credit already serves 222222222222."
