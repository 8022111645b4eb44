"""Facts read from reports: scans, tests, lineage, contracts."""

from guiderail.facts.fact_type import FactType

_M = ("model",)
_MP = ("model", "pipeline")

EVIDENCE_FACTS = (
    FactType("evidence.weak", "bool", "", "sources of the other facts", "a fact that green rests on "
             "is known only by a weaker source than the pack wants", "up", "evidence",
             "a fact is known only by a weak source"),
    FactType("security.scanner_ok", "bool", "", "SARIF report", "the scanner ran to its end", "down",
             "evidence", "the security scanner finished"),
    FactType("security.findings", "integer", "", "SARIF report", "critical and high findings "
             "counted", "up", "design", "critical or high security findings"),
    FactType("security.age_days", "number", "days", "SARIF report", "age of the scan", "up",
             "evidence", "the age of the security scan"),
    FactType("security.bound", "bool", "", "SARIF report and its statement", "digests compared",
             "down", "evidence", "the security scan speaks of this very release"),
    FactType("tests.ran", "integer", "", "JUnit report", "counted", "down", "evidence",
             "tests that ran"),
    FactType("tests.failed", "integer", "", "JUnit report", "failures and errors counted", "up",
             "design", "failed tests"),
    FactType("tests.skipped", "integer", "", "JUnit report", "counted", "up", "evidence",
             "tests that did not run"),
    FactType("tests.bound", "bool", "", "JUnit report and its statement", "digests compared",
             "down", "evidence", "the tests speak of this very release"),
    FactType("code.approvals", "integer", "", "git history and review exports", "approvals by "
             "people other than the authors", "down", "evidence", "code approvals"),
    FactType("staging.healthy", "bool", "", "staging", "this digest ran healthy for the set time",
             "down", "evidence", "this digest is healthy in staging"),
    FactType("lineage.sources", "integer", "", "guiderail.yaml, training", "counted", "none",
             "evidence", "named training sources", kinds=_MP),
    FactType("lineage.mismatched", "integer", "", "training data", "fingerprints compared", "up",
             "evidence", "sources whose content differs from the recorded fingerprint", kinds=_MP),
    FactType("lineage.unverified", "integer", "", "training data and what tools recorded", "sources without a fingerprint "
             "to compare, whose data cannot be read, or that a record contradicts, and recorded inputs that nobody named", "up", "evidence",
             "sources that could not be verified", kinds=_MP),
    FactType("lineage.without_permission", "integer", "", "guiderail.yaml, training", "sources without a permission that holds today for "
             "this purpose counted", "up", "evidence", "sources without a recorded permission", kinds=_MP),
    FactType("lineage.records", "integer", "", "OpenLineage events and MLflow runs", "inputs of the run counted, each once", "none",
             "evidence", "inputs that tools recorded", kinds=_MP),
    FactType("lineage.unnamed", "integer", "", "OpenLineage events and MLflow runs", "recorded inputs compared with the named sources",
             "up", "evidence", "recorded inputs that are not named", kinds=_MP, part_of="lineage.records"),
    FactType("lineage.contradicted", "integer", "", "OpenLineage events and MLflow runs", "recorded columns and row counts compared with "
             "the files", "up", "evidence", "sources that a record contradicts", kinds=_MP),
    FactType("contract.missing", "integer", "", "model file and features offered by serving",
             "counted", "up", "design", "model inputs that serving does not offer", kinds=_M),
    FactType("contract.mismatched", "integer", "", "model file and features offered by serving",
             "types compared", "up", "design", "model inputs that serving offers with another type",
             kinds=_M),
)  # fmt: skip
