"""A model server in a confined child: one model file, one socket, no network of its own.

    python -m guiderail.sandbox.serve --model FILE --socket NUMBER
        [--threshold T] [--positive VALUE] [--end-with-stdin]

The socket is one that the starter bound, listens on and hands down under this number, so that the
process needs no right to open any: behind the walls of the sandbox it answers and asks nobody.

POST /predict takes `{"inputs": {name: value, ...}}` or a list of such objects and answers
`{"score": 0.71, "decision": "good", "model": "sha256:..."}`, for a list
`{"predictions": [{"score", "decision"}, ...], "model"}`. GET /healthz answers once the model is
loaded. 400 means that the request is malformed, 422 that the model cannot use its inputs, 500 that
the model failed; every problem is JSON with `code`, `what` and `advice`.

`score` is the probability of the positive class (two classes), of the decided class (more than
two), or the predicted number. A score that is not a finite number is no score and no decision: 500.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from guiderail.sandbox.predict import Predictor, UnusableInputsError

LARGEST_BODY = 4 << 20
LARGEST_LIST = 1_000


class MalformedError(ValueError):
    """The request is not what `/predict` takes."""


def application(predictor: Predictor) -> Starlette:
    """The two routes over one loaded model."""

    async def predict(request: Request) -> Response:
        try:
            rows, is_list = read_inputs(await request.body())
        except MalformedError as error:
            return problem(400, "serve/malformed", str(error))
        try:
            answers = predictor.answer(rows)
        except UnusableInputsError as error:
            return problem(422, "serve/unusable-inputs", str(error))
        except Exception as error:  # noqa: BLE001 - any code of any model; reported, never hidden
            reason = f"The model failed: {type(error).__name__}: {error}"[:500]
            return problem(500, "serve/model-failed", reason)
        body: dict[str, object] = {"model": predictor.digest}
        results = [{"score": row.score, "decision": row.decision} for row in answers]
        body |= {"predictions": results} if is_list else results[0]
        return JSONResponse(body)

    async def healthz(_: Request) -> Response:
        return JSONResponse({"ready": True, "model": predictor.digest})

    return Starlette(
        routes=[
            Route("/predict", predict, methods=["POST"]),
            Route("/healthz", healthz, methods=["GET"]),
        ]
    )


def read_inputs(body: bytes) -> tuple[list[dict[str, object]], bool]:
    """The rows of a request and whether it was a list. Raises ValueError in words for people."""
    if len(body) > LARGEST_BODY:
        raise MalformedError(f"The request is larger than {LARGEST_BODY >> 20} MiB.")
    try:
        data = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"The request is not JSON: {error}.") from error
    items = data if isinstance(data, list) else [data]
    if not items or len(items) > LARGEST_LIST:
        raise MalformedError(
            f"A list has between 1 and {LARGEST_LIST} items, this one {len(items)}."
        )
    return [_row(item) for item in items], isinstance(data, list)


def _row(item: object) -> dict[str, object]:
    if not isinstance(item, dict) or not isinstance(item.get("inputs"), dict):
        raise MalformedError('The request is not of the form {"inputs": {"name": value, ...}}.')
    row: dict[str, object] = item["inputs"]
    for name, value in row.items():
        if value is not None and not isinstance(value, bool | int | float | str):
            raise MalformedError(f"The value of {name} is not a number, a text, true or false.")
    return row


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def problem(status: int, code: str, what: str) -> JSONResponse:
    advice = {
        400: 'Send {"inputs": {"name": value, ...}} or a list of such objects.',
        422: "Send every input that the model asks for, with the type it was trained on.",
        500: "Go back to the version before and look at the model.",
    }[status]
    return JSONResponse({"code": code, "what": what, "advice": advice}, status_code=status)


def inherited(number: int) -> socket.socket:
    """The listening socket that the starter opened. Raises OSError for a number that is none."""
    return socket.socket(fileno=number)


def _end_with_stdin() -> None:
    """Leave when whoever started this process has gone, however it went."""

    def wait() -> None:
        while os.read(0, 1024):
            pass
        os._exit(0)

    threading.Thread(target=wait, name="end-with-stdin", daemon=True).start()


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="guiderail.sandbox.serve")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--threshold", type=float)
    parser.add_argument("--positive")
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--end-with-stdin", action="store_true")
    options = parser.parse_args(arguments)
    if options.end_with_stdin:
        _end_with_stdin()
    predictor = Predictor.load(
        options.model, threshold=options.threshold, positive=options.positive
    )
    config = uvicorn.Config(
        application(predictor),
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )
    uvicorn.Server(config).run(sockets=[inherited(options.socket)])


if __name__ == "__main__":
    main(sys.argv[1:])
