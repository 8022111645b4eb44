"""Answers leave at once: the gateway's socket does not wait for delayed acknowledgements."""

from __future__ import annotations

import socket

from guiderail.rollout.gateway.__main__ import _listen


def test_the_gateway_writes_without_waiting() -> None:
    with _listen(0) as listening:
        assert listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
