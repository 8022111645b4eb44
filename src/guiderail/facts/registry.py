"""Every provider of facts about the release itself, in the order in which they run.

Adding one: write its file, name it here. Comparisons with baselines are in `change.compare`.
"""

from guiderail.facts.data.approval import DATA_APPROVAL
from guiderail.facts.data.columns import DATA_COLUMNS
from guiderail.facts.data.fingerprints import MODEL_DATA, PIPELINE_DATA
from guiderail.facts.data.groups import GROUPS
from guiderail.facts.data.moved import MOVED
from guiderail.facts.data.permissions import PERMISSIONS
from guiderail.facts.data.proxies import PROXIES
from guiderail.facts.evidence.feature_contract import FEATURE_CONTRACT
from guiderail.facts.evidence.security import SECURITY
from guiderail.facts.evidence.tests import TESTS
from guiderail.facts.model.explanations import EXPLANATIONS
from guiderail.facts.model.file import MODEL_FILE
from guiderail.facts.model.performance import PERFORMANCE
from guiderail.facts.model.slices import SLICES
from guiderail.facts.model.threshold import THRESHOLD
from guiderail.facts.operation.cost import COST_CEILING, MODEL_COST
from guiderail.facts.operation.monitoring import MONITORING
from guiderail.facts.operation.rollback import ROLLBACK_PLAN
from guiderail.facts.operation.run_cost import PIPELINE_COST
from guiderail.facts.operation.signals import SIGNALS
from guiderail.facts.provider import Provider
from guiderail.facts.use.context import CONTEXT, MODEL_CONTEXT, PIPELINE_CONTEXT
from guiderail.facts.use.declared import DECLARED_USE

PROVIDERS: tuple[Provider, ...] = (
    DECLARED_USE,
    CONTEXT,
    MODEL_CONTEXT,
    PIPELINE_CONTEXT,
    MODEL_FILE,
    THRESHOLD,
    MODEL_DATA,
    PIPELINE_DATA,
    PERMISSIONS,
    DATA_COLUMNS,
    DATA_APPROVAL,
    MOVED,
    PERFORMANCE,
    SLICES,
    GROUPS,
    PROXIES,
    EXPLANATIONS,
    SECURITY,
    TESTS,
    FEATURE_CONTRACT,
    ROLLBACK_PLAN,
    MONITORING,
    SIGNALS,
    MODEL_COST,
    PIPELINE_COST,
    COST_CEILING,
)
