"""Facts about the use: declared by the owner, confirmed by risk, overruled by what is measured."""

from guiderail.facts.fact_type import FactType

_MANIFEST = "guiderail.yaml, use"

USE_FACTS = (
    FactType("use.prohibited", "bool", "", _MANIFEST, "declared", "up", "design",
             "the use is prohibited"),
    FactType("use.domain", "enum", "", _MANIFEST, "declared", "none", "design",
             "the field of use",
             ("other", "operations", "recommendation", "marketing", "moderation", "pricing", "law",
              "essential_services", "health", "education", "housing", "employment", "insurance",
              "fraud", "credit")),
    FactType("use.affects_people", "bool", "", _MANIFEST, "declared", "up", "design",
             "the output changes what happens to identifiable people"),
    FactType("use.customer_facing", "bool", "", _MANIFEST, "declared", "up", "design",
             "customers see or feel the output"),
    FactType("use.decision", "enum", "", _MANIFEST, "declared", "up", "design",
             "how much rests on the output", ("none", "minor", "significant")),
    FactType("use.influence", "enum", "", _MANIFEST, "declared", "up", "design",
             "how far the output decides by itself", ("informs", "recommends", "automated")),
    FactType("use.exposure", "enum", "", _MANIFEST, "declared, limits owned by risk", "up", "design",
             "the harm of a wrong decision", ("small", "material", "large")),
    FactType("use.regulated", "bool", "", _MANIFEST, "declared", "up", "no",
             "an external authority regulates the use"),
    FactType("use.reversible", "bool", "", _MANIFEST, "declared", "down", "design",
             "a wrong decision can be undone in time"),
    FactType("use.confirmed", "bool", "", "the workspace's confirmations", "recorded when a risk "
             "officer confirms this very use profile", "down", "evidence",
             "a risk officer has confirmed this use profile"),
)  # fmt: skip
