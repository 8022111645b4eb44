"""The witness over HTTP: one address, `POST /add-checkpoint`."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from guiderail.core.errors import InputError, IntegrityError
from guiderail.witness.decide import Answer, Seconds, add_checkpoint
from guiderail.witness.folder import WitnessFolder
from guiderail.witness.wire import LARGEST_REQUEST

ADDRESS: Final = "/add-checkpoint"
_BODY_SECONDS: Final = 10
"""How long a client may take to send its request."""

_MOST_AT_ONCE: Final = 64
"""Connections served at once; further ones are told 503."""


def application(witness: WitnessFolder, clock: Seconds = lambda: int(time.time())) -> Starlette:
    """The routes of one witness."""

    async def add(request: Request) -> Response:
        try:
            data = await asyncio.wait_for(_body(request), _BODY_SECONDS)
        except TimeoutError:
            return _response(Answer(408, "The request took too long to arrive.\n"))
        except ClientDisconnect:
            return _response(Answer(400, "The request did not arrive whole.\n"))
        if data is None:
            return _response(Answer(413, f"A request has at most {LARGEST_REQUEST} bytes.\n"))
        return _response(await run_in_threadpool(_answer, data))

    def _answer(data: bytes) -> Answer:
        try:
            return add_checkpoint(witness, data, clock)
        except (IntegrityError, OSError):
            # Nothing was signed. What is damaged is for the witness's owner to read, not the log's.
            return Answer(500, "The witness cannot use its own state; its owner must look.\n")

    return Starlette(routes=[Route(ADDRESS, add, methods=["POST"])])


def serve(witness: WitnessFolder, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Answer until the process is told to stop. port: 0 for a free one.

    ready: told the address once connections are accepted. Raises InputError for an address that
    cannot be listened on.
    """
    try:
        listener = socket.create_server((host, port), family=_family(host), backlog=128)
    except OSError as error:
        raise InputError(
            f"the witness cannot listen on {host} port {port}: {error.strerror}",
            code="witness/address",
            advice="Choose another --host or --port.",
        ) from error
    found = listener.getsockname()
    ready(f"http://{_shown(found[0])}:{found[1]}")
    settings = uvicorn.Config(
        application(witness),
        log_level="warning",
        limit_concurrency=_MOST_AT_ONCE,
        timeout_keep_alive=15,
        server_header=False,
    )
    uvicorn.Server(settings).run(sockets=[listener])


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


async def _body(request: Request) -> bytes | None:
    """The whole body, or None as soon as it is too large."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > LARGEST_REQUEST:
            return None
    return bytes(data)


def _response(answer: Answer) -> Response:
    return Response(
        answer.body.encode("utf-8"), answer.status, headers={"content-type": answer.content_type}
    )
