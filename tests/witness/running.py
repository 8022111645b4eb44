"""Witnesses that really answer over HTTP on this machine, honest ones and others."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from guiderail.witness.wire import parse_request
from guiderail_verify.cosignature import cosign
from guiderail_verify.note import split_note


@contextmanager
def answering(application: Starlette) -> Iterator[str]:
    """The address of an application while it is served."""
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive()
        assert time.monotonic() < until
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)


def always(status: int, body: bytes, kind: str = "text/plain; charset=utf-8") -> Starlette:
    """A witness that says the same whatever it is asked."""

    async def answer(_: Request) -> Response:
        return Response(body, status, headers={"content-type": kind})

    return Starlette(routes=[Route("/add-checkpoint", answer, methods=["POST"])])


def obliging(private: Ed25519PrivateKey, name: str, now: int) -> Starlette:
    """A witness that remembers nothing and cosigns whatever it is shown."""

    async def answer(request: Request) -> Response:
        text, _ = split_note(parse_request(await request.body()).note)
        return Response(cosign(private, name, text, now).encode("utf-8"))

    return Starlette(routes=[Route("/add-checkpoint", answer, methods=["POST"])])


def dripping() -> Starlette:
    """A witness that sends a byte now and then, without end."""

    async def drops() -> object:
        while True:
            yield b"x"
            await asyncio.sleep(0.05)

    async def answer(_: Request) -> Response:
        return StreamingResponse(drops())

    return Starlette(routes=[Route("/add-checkpoint", answer, methods=["POST"])])


def flooding() -> Starlette:
    """A witness that sends megabytes."""

    async def flood() -> object:
        for _ in range(64):
            yield b"x" * 65536
            await asyncio.sleep(0)

    async def answer(_: Request) -> Response:
        return StreamingResponse(flood())

    return Starlette(routes=[Route("/add-checkpoint", answer, methods=["POST"])])
