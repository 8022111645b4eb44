"""Answers leave at once: no listening socket waits for delayed acknowledgements."""

from __future__ import annotations

import socket

from guiderail.rollout.gateway.__main__ import _listen
from guiderail.sandbox.serve import listen


def test_the_gateway_and_the_model_server_write_without_waiting() -> None:
    for listening in (_listen(0), listen(None)):
        with listening:
            assert listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
