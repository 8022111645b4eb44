"""Model inputs against the features that serving offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from guiderail.core.errors import InputError
from guiderail.core.scales import KnownBy
from guiderail.facts.data.data_files import seen_columns
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.model.summary import model_inputs, model_summary
from guiderail.facts.provider import Inputs, Provider
from guiderail.manifest.release import Release
from guiderail.manifest.schema import ModelManifest

_NO_SERVING = "guiderail.yaml does not say what serving offers (serving.features)"
_FAMILIES = {
    "number": "number number integer int float double numeric decimal int8 int16 int32 int64 uint8 "
    "uint16 uint32 uint64 float16 float32 float64 long short real",
    "text": "text string str varchar char category categorical object enum",
    "boolean": "boolean bool",
    "time": "date time datetime timestamp",
}
_FAMILY = {word: family for family, words in _FAMILIES.items() for word in words.split()}


@dataclass(frozen=True, slots=True)
class Contract:
    """Inputs that serving does not offer, offers with another type, or whose type nobody says."""

    missing: tuple[str, ...]
    mismatched: tuple[str, ...]
    untyped: tuple[str, ...]


def type_family(name: str) -> str:
    """`number`, `text`, `boolean`, `time`, or `unknown` for a type that is none of them."""
    return _FAMILY.get(name.strip().lower(), "unknown")


def offered_features(release: Release) -> Mapping[str, str] | Unknown:
    """Name -> type of the features that serving offers. Raises InputError for a broken file."""
    from guiderail.manifest.strict_yaml import load_file

    manifest = release.manifest
    if not isinstance(manifest, ModelManifest) or manifest.serving is None:
        return Unknown(_NO_SERVING)
    document = load_file(release.path(manifest.serving.features))
    rows = document.data
    if not isinstance(rows, list):
        raise InputError(
            f"{manifest.serving.features} is not a list of features",
            advice="Write a list of entries with `name` and `type`.",
            code="features/not-a-list",
            place=document.place(),
        )
    offered: dict[str, str] = {}
    for number, row in enumerate(rows):
        name, kind = (row.get("name"), row.get("type")) if isinstance(row, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(kind, str) or name in offered:
            raise InputError(
                f"entry {number + 1} of {manifest.serving.features} has no name, no type, or a "
                "name that stood before",
                advice="Give every feature one entry with `name` and `type`.",
                code="features/bad-entry",
                place=document.place((number,)),
            )
        offered[name] = kind
    return offered


def contract(
    wanted: tuple[str, ...], types: Mapping[str, str], offered: Mapping[str, str]
) -> Contract:
    """Compare inputs with the features offered; types are compared by family."""
    shared = [name for name in wanted if name in offered]
    kinds = {name: (types.get(name, "unknown"), type_family(offered[name])) for name in shared}
    return Contract(
        missing=tuple(name for name in wanted if name not in offered),
        mismatched=tuple(
            name for name, pair in kinds.items() if "unknown" not in pair and pair[0] != pair[1]
        ),
        untyped=tuple(name for name, pair in kinds.items() if "unknown" in pair),
    )


def input_types(model: Release, data: Release, inputs: Inputs) -> dict[str, str]:
    """Type family of each input: what the model file says, else what the data hold."""
    seen = {column.name: type_family(column.type) for column in seen_columns(data, inputs)}
    named = model_summary(model, inputs.cache).inputs or ()
    return {name: kind if kind != "unknown" else seen.get(name, "unknown") for name, kind in named}


def _run(inputs: Inputs) -> Iterator[Fact]:
    release = inputs.release
    serving = inputs.model.serving
    source = f"{inputs.model.model.file} and {serving.features if serving else 'guiderail.yaml'}"
    wanted = model_inputs(release, inputs.cache)
    offered = offered_features(release)
    if isinstance(wanted, Unknown) or isinstance(offered, Unknown):
        reason = wanted.reason if isinstance(wanted, Unknown) else _NO_SERVING
        for name in FEATURE_CONTRACT.gives:
            yield unknown(name, reason, source)
        return
    found = contract(wanted, input_types(release, release, inputs), offered)
    measured = KnownBy.MEASURED
    yield known(
        "contract.missing", len(found.missing), source, measured, {"features": list(found.missing)}
    )
    if found.untyped and not found.mismatched:
        reason = f"nothing says the type of {', '.join(found.untyped[:5])}"
        yield unknown("contract.mismatched", reason, source)
    else:
        detail = {"features": list(found.mismatched), "untyped": list(found.untyped)}
        yield known("contract.mismatched", len(found.mismatched), source, measured, detail)


FEATURE_CONTRACT = Provider(
    id="evidence.feature-contract",
    version=1,
    kinds=("model",),
    gives=("contract.missing", "contract.mismatched"),
    run=_run,
)
