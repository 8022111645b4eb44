"""Running providers: failures stay apart, the cache is only a shortcut."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from guiderail.core.errors import InputError
from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy
from guiderail.facts.cache import FactCache, cache_key, facts_from_json, facts_to_json
from guiderail.facts.catalogue import BY_NAME, CATALOGUE
from guiderail.facts.collect import NOT_MEASURED, collect, fill_unknown, run_providers
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.provider import Inputs, Provider, failed
from guiderail.facts.registry import PROVIDERS
from guiderail.facts.standing import Standing
from guiderail.manifest.release import Release
from tests.facts.small_release import NOW, edit, reason, run


def provider(
    run: Callable[[Inputs], Iterable[Fact]],
    *,
    name: str = "test.one",
    gives: tuple[str, ...] = ("evaluation.rows",),
    key: Callable[[Inputs], Mapping[str, object]] | None = None,
) -> Provider:
    return Provider(id=name, version=1, kinds=("model",), gives=gives, run=run, key=key)


def rows(count: int) -> Fact:
    return known("evaluation.rows", count, "test", KnownBy.MEASURED)


def test_every_fact_is_given_by_one_provider_and_stands_in_the_catalogue() -> None:
    for kind in ("app", "model", "pipeline"):
        given = [name for one in PROVIDERS if kind in one.kinds for name in one.gives]

        assert len(given) == len(set(given))
        assert {name for name in given if kind not in BY_NAME[name].kinds} == set()


def test_values_have_the_type_that_the_catalogue_says(release: Release) -> None:
    types = {
        "bool": bool,
        "integer": int,
        "number": (int, float),
        "interval": Interval,
        "enum": str,
        "text": str,
        "set": tuple,
    }
    facts = collect(release, Standing(), NOW)

    for name, fact in facts.items():
        if not fact.is_unknown:
            assert isinstance(fact.value, types[BY_NAME[name].type]), name
            if BY_NAME[name].type == "enum":
                assert fact.value in BY_NAME[name].values


@pytest.mark.parametrize(
    ("problem", "says"),
    [
        (InputError("the file is upside down", advice="Turn it."), "the file is upside down"),
        (OSError(5, "Input/output error", "data.csv"), "data.csv cannot be read"),
        (ValueError("no rows"), "test.one could not be computed: no rows"),
        (ZeroDivisionError("division by zero"), "division by zero"),
    ],
)
def test_an_expected_failure_makes_all_facts_unknown_with_the_reason(
    release: Release, problem: Exception, says: str
) -> None:
    def fail(_: Inputs) -> Iterable[Fact]:
        raise problem

    facts = run(provider(fail, gives=("evaluation.rows", "evaluation.labels")), release)

    assert says in reason(facts, "evaluation.rows")
    assert says in reason(facts, "evaluation.labels")


def test_two_failures_keep_two_reasons(release: Release) -> None:
    def fail(what: str) -> Callable[[Inputs], Iterable[Fact]]:
        def go(_: Inputs) -> Iterable[Fact]:
            raise ValueError(what)

        return go

    one = provider(fail("the left hand"), gives=("evaluation.rows",))
    two = provider(fail("the right hand"), name="test.two", gives=("model.file",))
    facts = run_providers([one, two], Inputs(release, Standing(), NOW, FactCache(None)))

    assert "left" in reason(facts, "evaluation.rows")
    assert "right" in reason(facts, "model.file")


@pytest.mark.parametrize(
    "problem", [TypeError("a mistake"), LookupError("a mistake"), RecursionError("a mistake")]
)
def test_a_mistake_of_ours_is_unknown_and_named_and_the_check_goes_on(
    release: Release, problem: Exception
) -> None:
    def wrong(_: Inputs) -> Iterable[Fact]:
        raise problem

    two = provider(lambda _: [rows(3)], name="test.two")
    one = provider(wrong, gives=("model.file",))
    facts = run_providers([one, two], Inputs(release, Standing(), NOW, FactCache(None)))

    kind = type(problem).__name__
    assert reason(facts, "model.file") == f"test.one failed unexpectedly ({kind}: a mistake)"
    assert facts["evaluation.rows"].value == 3


def test_what_was_promised_and_not_given_is_unknown(release: Release) -> None:
    facts = run(provider(lambda _: []), release)

    assert "test.one did not give it" in reason(facts, "evaluation.rows")


def counted(answers: list[Fact]) -> tuple[Provider, list[int]]:
    calls: list[int] = []

    def go(_: Inputs) -> Iterator[Fact]:
        calls.append(1)
        yield answers[min(len(calls), len(answers)) - 1]

    return provider(go, key=lambda _: {"constant": 1}), calls


def test_a_known_result_is_computed_once(release: Release, tmp_path: Path) -> None:
    one, calls = counted([rows(3)])

    first = run(one, release, cache=tmp_path)
    second = run(one, release, cache=tmp_path)

    assert first == second
    assert len(calls) == 1


def test_without_a_cache_everything_is_computed_again(release: Release) -> None:
    one, calls = counted([rows(3)])

    run(one, release)
    run(one, release)

    assert len(calls) == 2


def test_a_failure_is_tried_again_and_a_finding_is_not(release: Release, tmp_path: Path) -> None:
    again, calls = counted([failed("evaluation.rows", "it was killed", "test"), rows(3)])
    settled, settled_calls = counted([unknown("evaluation.rows", "there are no rows", "test")])
    settled = replace(settled, id="test.settled")

    run(again, release, cache=tmp_path)
    assert run(again, release, cache=tmp_path)["evaluation.rows"].value == 3
    for _ in range(2):
        run(settled, release, cache=tmp_path)

    assert len(calls) == 2
    assert len(settled_calls) == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-2],
        lambda text: text.replace('"3"', '"9"'),
        lambda _: "",
        lambda _: "not a digest\n[]",
        lambda text: text.partition("\n")[0] + "\n{}",
    ],
)
def test_a_damaged_entry_is_computed_again(
    release: Release, tmp_path: Path, damage: Callable[[str], str]
) -> None:
    one, calls = counted([rows(3)])
    run(one, release, cache=tmp_path)
    (entry,) = tmp_path.glob("*.json")
    entry.write_text(damage(entry.read_text()))

    assert run(one, release, cache=tmp_path)["evaluation.rows"].value == 3
    assert len(calls) == 2


def test_a_whole_entry_of_another_form_is_computed_again(release: Release, tmp_path: Path) -> None:
    one, calls = counted([rows(3)])
    key = cache_key(one.id, one.version, {"constant": 1})
    FactCache(tmp_path).write(key, [{"name": "evaluation.rows"}])

    assert run(one, release, cache=tmp_path)["evaluation.rows"].value == 3
    assert len(calls) == 1


def test_a_cache_that_cannot_be_written_is_no_failure(release: Release, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    one, _ = counted([rows(3)])

    assert run(one, release, cache=tmp_path / "file" / "cache")["evaluation.rows"].value == 3


def test_another_version_of_a_provider_has_another_key() -> None:
    assert cache_key("one", 1, {}) != cache_key("one", 2, {})
    assert cache_key("one", 1, {}) != cache_key("one", 1, {"more": 1})


def test_facts_survive_being_stored() -> None:
    facts = (
        known("a", Interval(1.5, 1.0, 2.25), "source", KnownBy.MEASURED, {"n": 3, "of": ["x"]}),
        known("b", ("x", "y"), "source", KnownBy.DECLARED),
        known("c", 0.1, "source", KnownBy.VERIFIED),
        known("d", False, "source", KnownBy.ATTESTED),
        unknown("e", "nobody knows", "source"),
    )

    assert facts_from_json(facts_to_json(facts)) == facts


def test_everything_else_of_the_catalogue_is_unknown_and_says_so() -> None:
    facts = fill_unknown(
        {"model.format": known("model.format", "x", "y", KnownBy.MEASURED)}, "model"
    )

    assert set(facts) == {entry.name for entry in CATALOGUE if "model" in entry.kinds}
    assert facts["model.format"].value == "x"
    assert facts["staging.healthy"].value == Unknown(NOT_MEASURED)


def test_progress_rises_to_the_end(release: Release) -> None:
    seen: list[float] = []

    collect(release, Standing(), NOW, progress=lambda _, share: seen.append(share))

    assert seen == sorted(seen)
    assert seen[0] == 0.0
    assert seen[-1] == 1.0


WARM = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from guiderail.facts.standing import Baseline, Standing
from guiderail.manifest.load import load_release
from guiderail.change.measure_release import release_facts
release = load_release(Path(sys.argv[1]))
base = Baseline(release, release.digest, {})
standing = Standing() if sys.argv[3] == "first" else Standing(base, base, base)
facts = release_facts(release, standing, datetime.now(UTC), cache=Path(sys.argv[2]))
heavy = {"numpy", "scipy", "duckdb", "pandas", "sklearn", "skops", "joblib", "sqlalchemy"}
print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
print(facts["performance.value"].is_unknown, facts["fairness.selection_ratio"].is_unknown)
"""


@pytest.mark.parametrize("standing", ["first", "again"])
def test_a_warm_check_imports_nothing_that_computes(
    directory: Path, tmp_path: Path, standing: str
) -> None:
    command = [sys.executable, "-c", WARM, str(directory), str(tmp_path / "cache"), standing]
    cold, warm = (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)
    )

    assert "numpy" in cold
    assert warm.splitlines() == ["[]", "False False"]


def test_the_same_release_elsewhere_has_the_same_facts(directory: Path, tmp_path: Path) -> None:
    """Sources name files, never directories of one machine."""
    import shutil

    other = Path(shutil.copytree(directory, tmp_path / "somewhere" / "else"))

    one = collect(edit(directory, version="v1"), Standing(), NOW)
    two = collect(edit(other, version="v1"), Standing(), NOW)

    assert one == two
    assert not [fact for fact in one.values() if str(tmp_path) in f"{fact.source}{fact.value}"]
