"""The catalogue of facts, in one explicit tuple. `guiderail facts` prints it."""

from guiderail.facts.catalogue.app import APP_FACTS
from guiderail.facts.catalogue.change import CHANGE_FACTS
from guiderail.facts.catalogue.evidence import EVIDENCE_FACTS
from guiderail.facts.catalogue.model import MODEL_FACTS
from guiderail.facts.catalogue.operation import OPERATION_FACTS
from guiderail.facts.catalogue.pipeline import PIPELINE_FACTS
from guiderail.facts.catalogue.use import USE_FACTS
from guiderail.facts.fact_type import FactType

CATALOGUE: tuple[FactType, ...] = (
    *USE_FACTS,
    *MODEL_FACTS,
    *CHANGE_FACTS,
    *EVIDENCE_FACTS,
    *OPERATION_FACTS,
    *APP_FACTS,
    *PIPELINE_FACTS,
)

BY_NAME: dict[str, FactType] = {fact.name: fact for fact in CATALOGUE}

__all__ = ["BY_NAME", "CATALOGUE", "FactType"]
