"""What people are asked so that reviewers understand a release. No shipped rule reads any of it.

`context.` is about the use and carries forward to later releases; `release.` is about this release
alone. Both are told to reviewers and change neither tier nor track.
"""

from typing import Final

from guiderail.facts.fact_type import FactType

ABOUT_THE_USE: Final = "context."
ABOUT_THE_RELEASE: Final = "release."

_ASKED = "the interview"
_READ_OR_ASKED = "guiderail.yaml or the interview"
_M = ("model",)
_AM = ("app", "model")
_MP = ("model", "pipeline")


def only_tells(name: str) -> bool:
    """Is the fact told to reviewers and no part of the use profile?"""
    return name.startswith((ABOUT_THE_USE, ABOUT_THE_RELEASE))


def _text(
    name: str, says: str, kinds: tuple[str, ...] = ("app", "model", "pipeline"), read: bool = False
) -> FactType:
    source = _READ_OR_ASKED if read else _ASKED
    how = "read from the manifest, else answered" if read else "answered in own words"
    return FactType(name, "text", "", source, how, "none", "no", says, kinds=kinds)


INTERVIEW_FACTS = (
    _text("context.purpose", "what it is for", read=True),
    _text("context.forbidden_uses", "what it must not be used for", read=True),
    _text("context.oversight", "how a person can change the output before it takes effect", _AM),
    _text("context.undo_within", "how a wrong decision is undone, and within what time", _AM),
    FactType("context.people_a_month", "integer", "people", _ASKED, "answered as a number", "none",
             "no", "the number of people that it touches in a month"),
    FactType("context.money_a_month", "number", "", _ASKED, "answered as a number, in the currency "
             "of the books", "none", "no", "the money that it moves in a month"),
    _text("context.population", "who the output is about", read=True),
    _text("context.jurisdictions", "where these people are", read=True),
    _text("release.data_sets", "the data sets, and why they may be used", _MP, read=True),
    _text("release.protected_reason", "why a protected attribute is an input", _M),
    _text("context.groups", "the groups for which it can be tested", _M, read=True),
    _text("context.label_source", "where the true outcomes come from", _M, read=True),
    _text("context.fairness_choice", "which fairness measure and limit was chosen, by whom and when",
          _M),
    _text("context.explanation", "what the people concerned are told", _AM),
    _text("context.contest_route", "how people can contest a decision", _AM),
    _text("release.worse_at", "what this version is worse at"),
    _text("context.watch", "what is watched, with which limits, and who answers", read=True),
    _text("context.third_party", "the models and data of third parties inside"),
    FactType("context.cost_expected", "number", "", _ASKED, "answered as a number, in the currency "
             "of the books", "none", "no", "the monthly cost that the owner expects"),
    FactType("context.delay_cost", "number", "", _ASKED, "answered as a number, in the currency of "
             "the books", "none", "no", "what a day of delay costs"),
    _text("release.experiment_plan", "who is in the experiment, with which share and stop rule"),
    _text("context.assessments", "the assessments that exist, with their dates"),
    _text("release.business_context", "what else a reviewer should know"),
)  # fmt: skip
