"""Facts about an app: what a change touches, its migrations and privileges, what the image holds.

`touches` is about the change and the app together: the app does it, and this change touches it.
"""

from guiderail.facts.fact_type import FactType

_A = ("app",)
_CHANGED = "source files that changed since the version in production"
_BOTH = "both versions of the app"


def _touches(name: str, how: str, says: str) -> FactType:
    return FactType(f"touches.{name}", "bool", "", _CHANGED, how, "up", "design", says, kinds=_A)


APP_FACTS = (
    _touches("authentication", "compared with the parts that sign people in",
             "the change touches how people sign in"),
    _touches("payment", "compared with the parts that move money",
             "the change touches how money moves"),
    _touches("personal_data", "compared with the parts that store personal data",
             "the change touches a store of personal data"),
    _touches("decision_code", "compared with the parts that decide about people or money",
             "the change touches code that decides about people or money"),
    _touches("privileges", "compared with the parts that grant rights",
             "the change touches what people or programs may do"),
    _touches("customers", "compared with the parts that customers use; texts and looks do not count",
             "the change alters what customers can do"),
    FactType("app.hosts_decision", "bool", "", "guiderail.yaml and the source files", "declared, or "
             "found in the code", "up", "design", "the app hosts a decision rule", kinds=_A),
    FactType("change.schema_migration", "enum", "", "migrations of both versions", "compared; "
             "reversible when going back loses no data", "up", "design", "the schema migration",
             ("none", "reversible", "irreversible"), kinds=_A),
    FactType("change.new_privileges", "integer", "", _BOTH, "rights that the app asks for, counted",
             "up", "design", "the number of new privileges", kinds=_A),
    FactType("change.new_dependencies", "integer", "", _BOTH, "outside services and libraries, "
             "counted", "up", "design", "the number of new external dependencies", kinds=_A),
    FactType("security.waived_critical", "integer", "", "waivers in force and the SARIF report",
             "counted", "up", "design", "critical findings under a waiver", kinds=_A),
    FactType("image.personal_data", "bool", "", "every layer of the image, and the repository",
             "column names and validated patterns", "up", "design",
             "personal data lie in the image or the repository", kinds=_A),
    FactType("rollback.rehearsed_minutes", "number", "minutes", "the last rehearsal or real "
             "rollback", "time until the older version served everybody", "up", "evidence",
             "the time that going back took", kinds=_A),
)  # fmt: skip
