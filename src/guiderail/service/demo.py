"""What the demo needs beyond the ordinary commands: releases to show, and traffic to serve."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from guiderail.core.errors import ConflictError, InputError, RefusedError
from guiderail.facts.data.data_files import open_data
from guiderail.manifest.load import load_release
from guiderail.manifest.schema import ModelManifest
from guiderail.sandbox.inspect_model import inspect_model
from guiderail.service.set_up import create
from guiderail.service.traffic import target
from guiderail.service.workspace import FOLDER, SETTINGS, Workspace, open_workspace

EXAMPLES = ("credit", "mail-sorting")


def find_examples(start: Path) -> Path:
    """The examples of a source checkout, here or above. Raises InputError where there are none."""
    for folder in (start.absolute(), *start.absolute().parents):
        if all((folder / "examples" / name / "train.py").is_file() for name in EXAMPLES):
            return folder / "examples"
    raise InputError(
        f"there are no examples at {start} or above",
        code="demo/examples",
        advice="Run the demo in a checkout of the Guiderail repository.",
    )


def fresh_workspace(root: Path, examples: Path) -> Workspace:
    """A new demo workspace in `root`; an older demo's is replaced, any other is left alone.

    Raises RefusedError when a workspace that is not a demo stands there.
    """
    home = root / FOLDER
    if (home / SETTINGS).exists():
        old = open_workspace(root)
        if old.home.resolve() != home.resolve() or not old.demo:
            raise RefusedError(
                f"{old.home} is a workspace of its own, not of an earlier demo",
                code="demo/workspace",
                advice="Run the demo in another directory.",
            )
        target(old).stop_gateway()
    if home.exists():
        _make_writable(home)
        shutil.rmtree(home)
    return create(
        root,
        demo=True,
        people=(examples / "people.yaml").read_text(encoding="utf-8"),
        features=(examples / "features.yaml").read_text(encoding="utf-8"),
    )


def _make_writable(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(0o700)


def build_releases(examples: Path, out: Path) -> None:
    """Train every version of both examples; v1 of each also stands in the example's own folder.

    Raises ConflictError with the output of a training script that fails.
    """
    if out.exists():
        shutil.rmtree(out)
    running = {
        name: subprocess.Popen(
            [
                sys.executable,
                str(examples / name / "train.py"),
                "--version",
                "all",
                "--out",
                str(out / name),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in EXAMPLES
    }
    for name, process in running.items():
        said, _ = process.communicate(timeout=300)
        if process.returncode != 0:
            raise ConflictError(
                f"training {name} failed: {said.strip()[-2000:]}",
                code="demo/training",
                advice="Run the script by itself to see all of its output.",
            )
    for name in EXAMPLES:
        build = examples / name / "build"
        shutil.rmtree(build, ignore_errors=True)
        shutil.copytree(out / name / "v1" / "build", build)


@dataclass(frozen=True, slots=True)
class Answers:
    """What a stretch of traffic got: requests by version that answered."""

    asked: int
    by_version: dict[str, int]


def send_traffic(workspace: Workspace, directory: Path, requests: int) -> Answers:
    """Ask the gateway with rows of the release's evaluation data, each as a person of its own.

    Raises ConflictError when the gateway does not answer a request.
    """
    release = load_release(directory)
    manifest = release.manifest
    if not isinstance(manifest, ModelManifest) or manifest.evaluation is None:
        raise InputError(
            f"{directory} has no evaluation data", code="demo/data", advice="Name another one."
        )
    inputs = inspect_model(release.path(manifest.model.file)).names or ()
    with open_data(release, manifest.evaluation.data) as table:
        frame = table.frame([name for name in inputs if name in table.names])
        rows = table.rows
    port = target(workspace).gateway_status().port
    counted: Counter[str] = Counter()
    connection = http.client.HTTPConnection("127.0.0.1", port or 0, timeout=30)
    try:
        for number in range(requests):
            row = {name: _plain(values[number % rows]) for name, values in frame.items()}
            headers = {"Content-Type": "application/json", "X-Unit-Id": f"person-{number}"}
            body = json.dumps({"inputs": row})
            connection.request("POST", f"/{manifest.served_as}/predict", body, headers)
            response = connection.getresponse()
            said = response.read()
            if response.status != 200:
                problem = said[:300].decode(errors="replace")
                raise ConflictError(
                    f"the gateway answered {response.status}: {problem}",
                    code="demo/gateway",
                    advice="See `guiderail serve status`.",
                )
            counted[response.headers.get("X-Guiderail-Release", "?")] += 1
    finally:
        connection.close()
    return Answers(requests, _by_version(workspace, counted))


def _by_version(workspace: Workspace, counted: Counter[str]) -> dict[str, int]:
    from guiderail.service.records import version_of

    with workspace.store.read() as snapshot:
        return {version_of(snapshot, digest): n for digest, n in sorted(counted.items())}


def _plain(value: object) -> object:
    return value.item() if hasattr(value, "item") else value
