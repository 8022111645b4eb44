"""Real releases for the tests of the target: small models with documents and permits.

Most models are ONNX graphs: a server of one starts in a quarter of the time that it takes to import
scikit-learn, and what a gateway does with its servers does not depend on what they run.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from guiderail.attest.envelope import sign_envelope
from guiderail.attest.keys import Keyring, read_trusted
from guiderail.attest.permit import sign_permit
from guiderail.core.digest import canonical_json, path_digest, sha256_digest
from guiderail.rollout.desired import Arm
from guiderail.rollout.rehearse import prove_alone
from guiderail_verify.permit import Permit
from guiderail_verify.permit_state import STATE_TYPE, PermitState, open_state

WORKLOAD = "credit"
SAMPLE = {"income": 2.0, "debt": 0.5}


@dataclass(frozen=True, slots=True)
class Version:
    """One release of the workload on disk, without a permit."""

    digest: str
    document: Path
    model: Path


def fit(*, kind: type = LogisticRegression, seed: int = 0) -> Any:
    """A classifier of two named inputs that decides `good` or `bad`."""
    numbers = np.random.default_rng(seed)
    table = pd.DataFrame({"income": numbers.normal(size=200), "debt": numbers.normal(size=200)})
    return kind().fit(table, np.where(table["income"] - table["debt"] > 0, "good", "bad"))


def mlflow_directory(folder: Path, model: Path) -> Path:
    """The model file in a directory as MLflow lays one out."""
    place = folder / "mlflow-model"
    place.mkdir()
    shutil.copyfile(model, place / "model.skops")
    (place / "MLmodel").write_text(
        "flavors:\n"
        "  python_function: {loader_module: mlflow.sklearn, model_path: model.skops}\n"
        "  sklearn: {code: null, pickled_model: model.skops, serialization_format: skops}\n"
    )
    return place


def broken_scores() -> Any:
    """A classifier whose every score is NaN."""
    model = fit()
    model.coef_ = np.full_like(model.coef_, np.nan)
    return model


def other_inputs() -> Any:
    """A classifier that asks for an input which the callers do not send."""
    table = pd.DataFrame({"income": [0.0, 1.0, 2.0], "region": [1.0, 1.0, 0.0]})
    return LogisticRegression().fit(table, ["bad", "good", "good"])


def as_onnx(folder: Path, name: str, model: Any) -> Path:
    """The classifier as an ONNX graph with one named input for each column."""
    import skl2onnx
    from skl2onnx.common.data_types import FloatTensorType

    names = [str(column) for column in model.feature_names_in_]
    columns = ColumnTransformer([("all", "passthrough", names)]).set_output(transform="pandas")
    columns.fit(pd.DataFrame({name: [0.0, 1.0] for name in names}))
    made = skl2onnx.convert_sklearn(
        Pipeline([("columns", columns), ("model", model)]),
        initial_types=[(name, FloatTensorType([None, 1])) for name in names],
        options={"zipmap": False},
    )
    path = folder / f"{name}.onnx"
    path.write_bytes(made.SerializeToString())
    return path


def as_skops(folder: Path, name: str, model: Any) -> Path:
    path = folder / f"{name}.skops"
    skops.io.dump(model, path)
    return path


def release(
    folder: Path,
    model: Path,
    *,
    name: str = WORKLOAD,
    version: str = "1",
    threshold: str | None = "0.5",
) -> Version:
    """The release document of a model file, as `release_document` writes it."""
    manifest = {
        "guiderail": 1,
        "kind": "model",
        "name": name,
        "version": version,
        "endpoint": None,
        "model": {
            "file": model.name,
            "threshold": None if threshold is None else {"number": threshold},
        },
        "evaluation": {"positive": "good"},
    }
    document = canonical_json({"manifest": manifest, "artefacts": {model.name: path_digest(model)}})
    path = folder / f"{model.stem}-{version}.release.json"
    path.write_bytes(document)
    return Version(sha256_digest(document), path, model)


def permit_for(version: Version, **changes: object) -> Permit:
    now = datetime.now(UTC)
    permit = Permit(
        id=f"permit-{version.digest[7:19]}",
        case="case-1",
        kind="model",
        workload=WORKLOAD,
        digest=version.digest,
        environment="production",
        highest_share=Decimal(1),
        conditions=(),
        issued_at=now,
        start_until=now + timedelta(days=7),
        dossier=sha256_digest(b"dossier"),
        policy=sha256_digest(b"policy"),
    )
    return replace(permit, **changes)  # type: ignore[arg-type]  # each test names a real field


def permitted(home: Path, version: Version, weight: int = 100, **changes: object) -> Arm:
    """An arm with a genuine permit, signed by the workspace's own keys."""
    keyring = Keyring.open(home)
    permit = permit_for(version, **changes)
    envelope = sign_permit(permit, keyring)
    permit_file = home / "permits" / f"{permit.id}.json"
    permit_file.parent.mkdir(parents=True, exist_ok=True)
    permit_file.write_bytes(envelope)
    proof_file = permit_file.with_suffix(".tlog-proof")
    proof_file.write_text(prove_alone(permit, envelope, keyring), encoding="utf-8")
    return Arm(
        digest=version.digest,
        weight=weight,
        environment=permit.environment,
        release_file=version.document,
        model_file=version.model,
        permit_file=permit_file,
        proof_file=proof_file,
    )


def taken_back(
    home: Path, *permits: str, version: int = 1, valid_for: timedelta = timedelta(days=7)
) -> bytes:
    """A state of permits, signed by the workspace's own keys."""
    keyring, now = Keyring.open(home), datetime.now(UTC)
    said = PermitState(
        keyring.origin, None, version, 10, frozenset(permits), (), now, now + valid_for
    )
    return sign_envelope(said.to_payload(), STATE_TYPE, keyring.permit_signers)


def state(home: Path, *permits: str, valid_for: timedelta = timedelta(days=7)) -> PermitState:
    """The same, as a target reads it."""
    envelope = taken_back(home, *permits, valid_for=valid_for)
    return open_state(envelope, read_trusted(home), environment="production")


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: dict[str, object]

    @property
    def release(self) -> str | None:
        return self.headers.get("x-guiderail-release")


def ask(
    port: int | None,
    unit: str | None = None,
    *,
    workload: str = WORKLOAD,
    body: bytes | None = None,
    inputs: object = SAMPLE,
) -> Reply:
    """One prediction over the wire."""
    assert port is not None
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {} if unit is None else {"X-Unit-Id": unit}
    try:
        sent = body if body is not None else json.dumps({"inputs": inputs}).encode()
        connection.request("POST", f"/{workload}/predict", sent, headers)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, found, json.loads(response.read()))
    finally:
        connection.close()


def eventually(holds: Callable[[], bool], what: str, *, seconds: float = 60) -> None:
    """Wait for something that happens in another process; fails with `what` if it never does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"it never happened that {what}"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and is not yet forgotten does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def call(app: Any, method: str, path: str, body: bytes = b"") -> Reply:
    """One request to an ASGI application, without a network."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
    }
    asyncio.run(app(scope, receive, send))
    content = b"".join(message.get("body", b"") for message in sent)
    return Reply(sent[0]["status"], {}, json.loads(content))
