"""The HTTP face of the gateway: predictions for callers, status and reload for the controller."""

from __future__ import annotations

import json
import os
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from yarl import URL

from guiderail.rollout.breaker import Answer, classify
from guiderail.rollout.decision_log import Recorder, Row
from guiderail.rollout.gateway.engine import Engine
from guiderail.rollout.gateway.serving import LiveArm, Serving
from guiderail.rollout.split import unit_hash
from guiderail.rollout.status import GatewayStatus, status_to_json

LARGEST_BODY = 4 << 20
LARGEST_ID = 200
PREDICT = URL("http://model/predict")
_JSON = {"Content-Type": "application/json"}
_PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request before it is answered. started: monotonic clock in nanoseconds."""

    workload: str
    request: str
    unit: str
    body: bytes
    started: int


@dataclass(frozen=True, slots=True)
class _Given:
    """One answer. arm is None where no version answered; note says why another one did."""

    status: int
    body: bytes
    arm: LiveArm | None
    note: str | None
    media: str = "application/json"


class Gateway:
    """Routes over one engine and one recorder. token: what the controller must show to reload."""

    def __init__(self, engine: Engine, recorder: Recorder, token: str, port: int) -> None:
        self._port = port
        self._engine = engine
        self._recorder = recorder
        self._token = token

        self._control = Starlette(
            routes=[
                Route("/-/healthz", self._healthz, methods=["GET"]),
                Route("/-/status", self._status, methods=["GET"]),
                Route("/-/reload", self._reload, methods=["POST"]),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: `POST /<workload>/predict` takes the short way, everything else is routed."""
        if scope["type"] == "http" and scope["method"] == "POST":
            workload, slash, last = scope["path"][1:].partition("/")
            if slash and last == "predict" and workload != "-":
                response = await self._predict(workload, scope, receive)
                await response(scope, receive, send)
                return
        await self._control(scope, receive, send)

    async def _healthz(self, _: Request) -> Response:
        return JSONResponse({"ready": True})

    async def _status(self, _: Request) -> Response:
        return JSONResponse(status_to_json(self._now()))

    async def _reload(self, request: Request) -> Response:
        shown = request.headers.get("authorization", "").encode()
        if not secrets.compare_digest(shown, f"Bearer {self._token}".encode()):
            what = "Only the controller of this workspace may reload."
            return _problem(
                403, "gateway/no-token", what, "Send the token of targets/local/_token."
            )
        await self._engine.reconcile()
        return JSONResponse(status_to_json(self._now()))

    def _now(self) -> GatewayStatus:
        return GatewayStatus(
            running=True,
            pid=os.getpid(),
            port=self._port,
            environment=self._engine.environment,
            workloads=self._engine.status(),
            recorded=self._recorder.recorded,
            waiting=self._recorder.waiting,
            recorder_problem=self._recorder.problem,
        )

    async def _predict(self, workload: str, scope: Scope, receive: Receive) -> Response:
        started = time.monotonic_ns()
        body = await _read_body(receive)
        if body is None:
            what = f"The request is larger than {LARGEST_BODY >> 20} MiB."
            return _problem(413, "gateway/too-large", what, "Send fewer rows at a time.")
        serving = self._engine.serving.get(workload)
        if serving is None:
            return _no_release(workload)
        request_id = _identifier(scope, b"x-request-id") or secrets.token_hex(16)
        unit = _unit(scope, body, serving) or request_id
        hashed = unit_hash(serving.desired.salt, unit)
        asked = _Asked(workload, request_id, hashed.hex(), body, started)
        candidates = serving.candidates(hashed)
        if not candidates:
            return _no_release(workload)
        if not self._recorder.has_room:
            what = "Decisions cannot be recorded at the moment, so none are made."
            return _problem(503, "gateway/not-recorded", what, "Try again; see the status.")
        given = await self._ask(serving, candidates, body)
        self._record(asked, given)
        headers = {"X-Request-Id": request_id}
        if given.arm is not None:
            headers["X-Guiderail-Release"] = given.arm.digest
        return Response(given.body, given.status, headers, media_type=given.media)

    async def _ask(self, serving: Serving, candidates: tuple[LiveArm, ...], body: bytes) -> _Given:
        """Ask the version of the split; another permitted one only while that one is away."""
        note: str | None = None
        timeout = aiohttp.ClientTimeout(total=serving.desired.timeout_seconds)
        for arm in candidates:
            session = arm.process.session
            if session is not None:
                arm.process.in_flight += 1
                try:
                    async with session.post(
                        PREDICT, data=body, headers=_JSON, timeout=timeout
                    ) as response:
                        answer = await response.read()
                        status = response.status
                except TimeoutError:
                    self._engine.answered(serving, arm, Answer.FAILED)
                    return _late(arm, serving.desired.timeout_seconds, note)
                except (aiohttp.ClientError, ConnectionError):
                    pass  # it has just died; its process is restarted, somebody else answers
                else:
                    self._engine.answered(serving, arm, classify(status))
                    return _Given(status, answer, arm, note)
                finally:
                    arm.process.in_flight -= 1
            self._engine.answered(serving, arm, Answer.FAILED)
            note = note or f"instead of {arm.digest}, whose model server was away"
        what = "Every permitted version is away at the moment."
        away = _problem(503, "gateway/away", what, "Try again; model servers are being restarted.")
        return _Given(503, bytes(away.body), None, note, _PROBLEM)

    def _record(self, asked: _Asked, given: _Given) -> None:
        at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        latency = (time.monotonic_ns() - asked.started) // 1000
        digest = given.arm.digest if given.arm is not None else None
        for item, (decision, score) in enumerate(_decisions(given)):
            row: Row = (
                *(at, asked.workload, asked.request, item, asked.unit, digest),
                *(decision, score, latency, given.status, given.note),
            )
            self._recorder.put(row)


def _decisions(given: _Given) -> list[tuple[str | None, float | None]]:
    """Decision and score of every row of an answer; one empty pair where there is none."""
    if given.status != 200:
        return [(None, None)]
    try:
        answer = json.loads(given.body)
    except ValueError:
        return [(None, None)]
    rows = answer.get("predictions", [answer]) if isinstance(answer, dict) else []
    pairs = [(row.get("decision"), row.get("score")) for row in rows if isinstance(row, dict)]
    return [(None if d is None else str(d), s if isinstance(s, int | float) else None)
            for d, s in pairs] or [(None, None)]  # fmt: skip


def _unit(scope: Scope, body: bytes, serving: Serving) -> str | None:
    """What the split sticks to: the header, else the configured input of the request."""
    header = _identifier(scope, b"x-unit-id")
    if header is not None or serving.desired.unit is None:
        return header
    try:
        data = json.loads(body)
        first = data[0] if isinstance(data, list) else data
        value = first["inputs"][serving.desired.unit]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None
    return str(value) if isinstance(value, str | int) else None


def _identifier(scope: Scope, name: bytes) -> str | None:
    """A header that names something: printable, not empty, not too long. None otherwise."""
    for key, value in scope["headers"]:
        if key == name and 0 < len(value) <= LARGEST_ID:
            text: str = value.decode("latin-1")
            return text if text.isprintable() else None
    return None


async def _read_body(receive: Receive) -> bytes | None:
    """The body; None when it is too large, or when nobody waits for an answer any more."""
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > LARGEST_BODY:
            return None
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


def _late(arm: LiveArm, seconds: float, note: str | None) -> _Given:
    what = f"The model did not answer within {seconds:g} seconds."
    late = _problem(504, "gateway/late", what, "Try again, or send fewer rows at a time.")
    return _Given(504, bytes(late.body), arm, note, _PROBLEM)


def _no_release(workload: str) -> JSONResponse:
    what = f"No approved release of {workload} may answer here."
    advice = "Submit one with `guiderail submit` and deploy it; `guiderail status` says what waits."
    return _problem(503, "gateway/no-release", what, advice)


def _problem(status: int, code: str, what: str, advice: str) -> JSONResponse:
    """A problem as RFC 9457 has it, with our code and advice."""
    body = {
        "type": f"urn:guiderail:{code}",
        "title": what,
        "status": status,
        "code": code,
        "advice": advice,
    }
    return JSONResponse(body, status, media_type=_PROBLEM)
