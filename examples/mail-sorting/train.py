"""Train one version of the digit reader of the mail room and write its release directory.

    python examples/mail-sorting/train.py --version v1 --out demo/mail-sorting/v1
    python examples/mail-sorting/train.py --version all --out demo/mail-sorting

The directory holds `guiderail.yaml`, what serving offers, the code and its tests, and under
`build/` the data, the model, the profile of the inputs and the reports. Without `--out` the
release is built in this folder, beside the `guiderail.yaml` of v1 that is kept here.

Nothing here is drawn at random: digits are split by a hash of their number, and the solver is
deterministic. The same command gives the same coefficients (but not the same bytes: skops names the
parts of its file anew each time).
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas
import skops.io
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler

from guiderail.measure.fingerprint import fingerprint
from guiderail.measure.profile import make_profile

HERE = Path(__file__).resolve().parent
COPIED = ("features.yaml", "train.py", "tests/test_model.py")

LABEL = "digit"
PIXELS = tuple(f"p{number:02}" for number in range(64))
EVALUATION_ROWS = 600


@dataclass(frozen=True, slots=True)
class Version:
    """What makes one version of the model.

    training_rows: how many of the 1,197 training digits were known when it was trained.
    added: inputs beyond the 64 pixels.
    """

    name: str
    training_rows: int
    added: tuple[str, ...] = ()

    @property
    def inputs(self) -> tuple[str, ...]:
        return (*PIXELS, *self.added)


# One recipe for all three: the retrain has more digits to learn from, and nothing else changes.
VERSIONS = {
    version.name: version
    for version in (
        Version("v1", training_rows=1000),
        Version("v2", training_rows=1197),
        Version("v3", training_rows=1197, added=("ink_total",)),
    )
}


def read_source() -> pandas.DataFrame:
    """1,797 handwritten digits: 64 pixels of 0 to 16, their sum, and the digit that was written."""
    digits = load_digits()
    rows = pandas.DataFrame(digits.data.astype(int), columns=list(PIXELS))
    rows["ink_total"] = rows[list(PIXELS)].sum(axis="columns")
    rows[LABEL] = digits.target
    return rows


def split(rows: pandas.DataFrame) -> tuple[pandas.DataFrame, pandas.DataFrame]:
    """Training pool and frozen evaluation data, both in the order of the source.

    The rows whose numbers have the smallest SHA-256 are the evaluation data: the choice depends on
    nothing but the row number, so it is the same on every machine and for every version.
    """
    by_hash = sorted(rows.index, key=lambda row: hashlib.sha256(str(row + 1).encode()).hexdigest())
    evaluation = sorted(by_hash[:EVALUATION_ROWS])
    training = sorted(by_hash[EVALUATION_ROWS:])
    return rows.loc[training], rows.loc[evaluation]


def train(version: Version, training: pandas.DataFrame) -> Pipeline:
    """Fit on a data frame, so that the model file carries the names of its inputs."""
    model = Pipeline([("scale", MinMaxScaler()), ("classify", LogisticRegression(max_iter=2000))])
    return model.fit(training[list(version.inputs)], training[LABEL])


def write_manifest(version: Version, out: Path, recorded: str) -> None:
    """The manifest of v1 with what is different in this version. Comments stay."""
    text = (HERE / "guiderail.yaml").read_text(encoding="utf-8")
    text = replace_once(text, r"\nversion: v1\n", f"\nversion: {version.name}\n")
    text = replace_once(text, r"(\n *fingerprint:) \S+\n", rf"\1 {recorded}\n")
    if version.added:
        names = ", ".join(version.added)
        text = replace_once(text, r"(\n *watched: \[)", rf"\1{names}, ")
    (out / "guiderail.yaml").write_text(text, encoding="utf-8")


def replace_once(text: str, pattern: str, replacement: str) -> str:
    changed, count = re.subn(pattern, replacement, text)
    if count != 1:
        raise SystemExit(f"guiderail.yaml has {count} places like {pattern!r}, not one.")
    return changed


def build(version: Version, out: Path) -> None:
    """Write data, model, profile and manifest of a version into `out`."""
    (out / "build").mkdir(parents=True, exist_ok=True)
    pool, evaluation = split(read_source())
    training = pool.head(version.training_rows)
    snapshot = out / "build" / "training.csv"
    training.to_csv(snapshot, index=False, lineterminator="\n")
    evaluation.to_csv(out / "build" / "evaluation.csv", index=False, lineterminator="\n")
    skops.io.dump(train(version, training), out / "build" / "model.skops")
    profile = make_profile(snapshot, version.inputs)
    (out / "build" / "profile.json").write_text(profile.to_json(), encoding="utf-8")
    if out.resolve() == HERE:
        return
    for name in COPIED:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(HERE / name, out / name)
    write_manifest(version, out, fingerprint(snapshot).fingerprint)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--version", choices=[*VERSIONS, "all"], default="v1")
    parser.add_argument(
        "--out",
        type=Path,
        default=HERE,
        help="release directory; with `all`, one in it per version",
    )
    parser.add_argument("--without-reports", action="store_true", help="skip tests and scan")
    wanted = parser.parse_args()
    if wanted.out.resolve() == HERE and wanted.version != "v1":
        parser.error("this folder holds v1; give another directory with --out")
    releases = {wanted.version: wanted.out}
    if wanted.version == "all":
        releases = {name: wanted.out / name for name in VERSIONS}
    for name, out in releases.items():
        build(VERSIONS[name], out)
        print(f"mail-sorting {name} is in {out}")
    if not wanted.without_reports:
        report = [sys.executable, str(HERE.parent / "report.py"), *map(str, releases.values())]
        raise SystemExit(subprocess.run(report, check=False).returncode)


if __name__ == "__main__":
    main()
