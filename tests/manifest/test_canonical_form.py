"""What the digest of a manifest covers, and that any value anywhere is read or explained."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from guiderail.core.digest import json_digest
from guiderail.core.errors import InputError
from guiderail.manifest.load import LoadedManifest, canonical, load_manifest
from guiderail.manifest.schema import ModelManifest

MODEL = """\
guiderail: 1
kind: model
name: credit-score
version: "1"
owner: credit@example.org
purpose: Scores loan applications.
model: {file: model.skops}
"""


def write(directory: Path, text: str) -> None:
    (directory / "guiderail.yaml").write_text(textwrap.dedent(text), encoding="utf-8")


class TestCanonicalForm:
    FULL = """\
        guiderail: 1
        kind: model
        name: credit-score
        version: "1"
        owner: credit@example.org
        purpose: Scores loan applications.
        code: [train.py]
        model: {file: model.skops, threshold: 0.5, threshold_envelope: [0.4, 0.6]}
        training:
          - {name: german-credit, data: training.csv, permission: CC BY 4.0}
        evaluation:
          {data: evaluation.csv, label: good, metric: roc_auc, floor_percent: -10, protected: [sex]}
        use: {domain: credit, affects_people: true, jurisdictions: [DE]}
        monitoring:
          labels: {source: loan ledger, delay_days: 365}
        evidence: {tests: junit.xml}
        """

    def digest(self, directory: Path, text: str) -> str:
        write(directory, text)
        return json_digest(load_manifest(directory).canonical)

    def test_numbers_are_decimal_strings_and_reports_are_left_out(self, tmp_path: Path) -> None:
        write(tmp_path, self.FULL)
        content: Any = load_manifest(tmp_path).canonical
        assert content["model"]["threshold"] == {"number": "0.5"}
        assert content["model"]["threshold_envelope"] == [{"number": "0.4"}, {"number": "0.6"}]
        assert content["evaluation"]["floor_percent"] == {"number": "-10"}
        assert content["monitoring"]["labels"]["delay_days"] == 365
        assert content["rollout"] == {"steps": [10, 50, 100], "hold_seconds": 2}
        assert "evidence" not in content

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("name: credit-score", "name: 'credit-score'  # quoted"),
            ("threshold: 0.5", "threshold: 5.0e-1"),
            ("floor_percent: -10", "floor_percent: -10.0"),
            ("evidence: {tests: junit.xml}", "evidence: {security: other.sarif}"),
            ("evidence: {tests: junit.xml}", "rollout: {steps: [10, 50, 100], hold_seconds: 2}"),
            ("evidence: {tests: junit.xml}", "endpoint:"),
            ("use: {domain: credit, ", "use: {regulated: null, domain: credit, "),
            ("purpose: Scores loan", "purpose:\n          Scores\n          loan"),
        ],
    )  # fmt: skip
    def test_spelling_does_not_change_the_digest(
        self, tmp_path: Path, before: str, after: str
    ) -> None:
        assert before in self.FULL
        changed = self.FULL.replace(before, after)
        assert self.digest(tmp_path, changed) == self.digest(tmp_path, self.FULL)

    @given(random=st.randoms(use_true_random=False), flow=st.booleans(), comment=st.booleans())
    def test_order_layout_quotes_and_comments_do_not_change_the_digest(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        random: Random,
        flow: bool,
        comment: bool,
    ) -> None:
        def shuffled(value: Any) -> Any:
            if isinstance(value, list):
                return [shuffled(item) for item in value]
            if not isinstance(value, dict):
                return value
            return {key: shuffled(value[key]) for key in random.sample(sorted(value), len(value))}

        directory = tmp_path_factory.mktemp("manifest")
        content = shuffled(yaml.safe_load(textwrap.dedent(self.FULL)))
        text = yaml.safe_dump(content, sort_keys=False, default_flow_style=flow)
        if comment and not flow:
            text = "# first\n" + "".join(f"{line}  # why\n" for line in text.splitlines())
        assert self.digest(directory, text) == self.digest(directory, self.FULL)

    def test_minus_zero_is_zero(self, tmp_path: Path) -> None:
        one = MODEL.replace("model.skops", "model.skops, threshold: 0")
        other = MODEL.replace("model.skops", "model.skops, threshold: -0.0")
        assert self.digest(tmp_path, one) == self.digest(tmp_path, other)

    def test_every_value_counts(self, tmp_path: Path) -> None:
        content = yaml.safe_load(textwrap.dedent(self.FULL))
        del content["evidence"]
        seen = {self.digest(tmp_path, json.dumps(content))}
        leaves = [path for path in paths(content) if path not in (("guiderail",), ("kind",))]
        assert len(leaves) > 20
        for path in leaves:
            changed = json.loads(json.dumps(content))
            parent = changed
            for key in path[:-1]:
                parent = parent[key]
            parent[path[-1]] = another(path, parent[path[-1]])
            digest = self.digest(tmp_path, json.dumps(changed))
            assert digest not in seen, path
            seen.add(digest)

    @given(threshold=st.floats(-1e12, 1e12))
    def test_a_threshold_is_kept_exactly(self, threshold: float) -> None:
        manifest = ModelManifest.model_validate(
            {**yaml.safe_load(MODEL), "model": {"file": "m", "threshold": threshold}}
        )
        model: Any = canonical(manifest)["model"]
        assert float(model["threshold"]["number"]) == threshold


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every scalar."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    else:
        return [path]
    return [inner for key, item in items for inner in paths(item, (*path, key))]


def another(path: tuple[Any, ...], value: Any) -> Any:
    """A value of the same kind that the schema accepts as well."""
    choices = {"metric": "f1", "domain": "fraud"}
    if "threshold_envelope" in path:
        return value - 0.01 if path[-1] == 0 else value + 0.01
    if path[-1] in choices:
        return choices[path[-1]]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value * 1.1 if isinstance(value, float) else value - 1
    return value + "x"


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet="ab/.- ", max_size=5)
    | st.sampled_from(["credit", "model", "manual", "f1", "a" * 5000]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["file", "name", "data", "a", ""]), inner, max_size=3)
    ),
)
FULL = yaml.safe_load(textwrap.dedent(TestCanonicalForm.FULL))
SECTIONS = ["rollback", "rollout", "serving", "endpoint", "forbidden_uses", "nope"]


@settings(max_examples=300)
@given(path=st.sampled_from([*((name,) for name in SECTIONS), *paths(FULL)]), value=ANY)
def test_any_value_anywhere_loads_or_is_explained_with_its_place(
    tmp_path_factory: pytest.TempPathFactory, path: tuple[Any, ...], value: Any
) -> None:
    directory = tmp_path_factory.mktemp("any")
    content = json.loads(json.dumps(FULL))
    parent = content
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    (directory / "guiderail.yaml").write_text(json.dumps(content))
    outcome = load_or_error(directory)
    if isinstance(outcome, LoadedManifest):
        assert json_digest(outcome.canonical).startswith("sha256:")
    else:
        for problem in getattr(outcome, "problems", (outcome,)):
            assert problem.place.line == 1
            assert problem.what.endswith(".")
            assert problem.advice.endswith(".")
            assert len(problem.what) < 300


def load_or_error(directory: Path) -> LoadedManifest | InputError:
    try:
        return load_manifest(directory)
    except InputError as error:
        return error
