"""Child side only: a loaded model with its threshold, as answers to single requests.

The rule is the one that the release was measured with: with a threshold, a score of at least the
threshold is the positive class; without one, the model's own class is taken.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from guiderail.core.digest import path_digest
from guiderail.core.errors import InputError
from guiderail.sandbox.load import LoadedModel, ModelRefusedError, load_model
from guiderail.sandbox.scored import Scored


class UnusableInputsError(ValueError):
    """The model cannot use these inputs: one is missing or has a value it does not know."""


class UnknownScoreError(ValueError):
    """The model gave no finite number: there is neither a score nor a decision."""


@dataclass(frozen=True, slots=True)
class Answer:
    """score: of the positive class (two classes) or of the decided class; a regression's number.

    score is None where the model gives none, decision None where there is nothing to decide.
    """

    score: float | None
    decision: str | None


@dataclass(frozen=True, slots=True)
class Predictor:
    """A model ready to answer. digest: of the file or MLflow directory that was loaded."""

    model: LoadedModel
    digest: str
    threshold: float | None
    positive: str | None

    @classmethod
    def load(cls, path: Path, *, threshold: float | None, positive: str | None) -> Predictor:
        """Raises ModelRefusedError or InputError where the file cannot be loaded safely.

        Also refuses a file that changed while it was loaded, and a threshold that is not finite.
        """
        if threshold is not None and not math.isfinite(threshold):
            raise InputError("the threshold is not a number", advice="Give a finite number.")
        before = path_digest(path)
        model = load_model(path)
        if path_digest(path) != before:
            raise ModelRefusedError(
                f"the model {path.name} changed while it was loaded",
                advice="Start again with a file that nothing writes to.",
            )
        return cls(model, before, threshold, positive)

    def answer(self, rows: Sequence[Mapping[str, object]]) -> list[Answer]:
        """One answer for each row.

        Raises UnusableInputsError for what the caller sent, UnknownScoreError for what the model
        gave; whatever else the model raises comes through.
        """
        try:
            frame = self.model.frame(rows)
        except InputError as error:
            raise UnusableInputsError(f"{error.what}. {error.advice}") from error
        try:
            scored = self.model.score(frame)
        except (ValueError, TypeError) as error:
            raise UnusableInputsError(
                f"The model cannot use these inputs: {error}"[:500]
            ) from error
        return [self._answer(scored, row) for row in range(len(rows))]

    def _answer(self, scored: Scored, row: int) -> Answer:
        score = self._score(scored, row)
        if score is not None and not math.isfinite(score):
            raise UnknownScoreError(f"the score is not a finite number ({score})")
        if not scored.classes:
            return Answer(score, self._side(score, "positive", "negative"))
        if len(scored.classes) == 2 and self.threshold is not None:
            positive = self._positive(scored)
            return Answer(
                score, self._side(score, scored.classes[positive], scored.classes[1 - positive])
            )
        return Answer(score, scored.predictions[row])

    def _positive(self, scored: Scored) -> int:
        """Index of the positive class: the named one, else the second."""
        return scored.classes.index(self.positive) if self.positive in scored.classes else 1

    def _score(self, scored: Scored, row: int) -> float | None:
        if scored.probabilities is not None:
            two = len(scored.classes) == 2
            decided = scored.predictions[row]
            column = self._positive(scored) if two else scored.classes.index(decided)
            return float(scored.probabilities[row][column])
        if scored.scores is None:
            return None
        score = float(scored.scores[row])
        flipped = scored.meaning == "margin" and self._positive(scored) == 0
        return -score if flipped else score

    def _side(self, score: float | None, at_least: str, below: str) -> str | None:
        if score is None or self.threshold is None:
            return None
        return at_least if score >= self.threshold else below
