"""A server that gives the answers which a real MLflow server gave, over real HTTP.

`answers.json` and `MLmodel` were recorded from MLflow 3.17.2: a logistic regression on two inputs,
logged by a run and registered as credit, with the alias champion.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

HERE = Path(__file__).parent
RUN = "2c5eb2e9756040be8b772b36cda6fa5d"
MODEL = "m-1f4d0b53507e4a448984b841bdcf15a9"
API = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
FILES = f"1/models/{MODEL}/artifacts"


@dataclass
class Recorded:
    """answers: by path and query, may be changed. files: bytes by path. asked: what was asked.

    headers: names that came with the requests, and the credentials that were shown.
    """

    answers: dict[str, Any]
    files: dict[str, bytes]
    asked: list[str] = field(default_factory=list)
    shown: list[str | None] = field(default_factory=list)
    address: str = ""

    def say(self, path: str, body: object, status: int = 200) -> None:
        self.answers[path] = {"status": status, "body": body}

    def change(self, path: str, **changes: object) -> None:
        """Other values in the first object of an answer that has any of these keys."""
        _change(self.answers[path]["body"], changes)

    def list(self, directory: str, *entries: dict[str, object]) -> None:
        self.say(f"{ARTIFACTS}?path={directory.replace('/', '%2F')}", {"files": list(entries)})


def _change(part: dict[str, Any], changes: dict[str, object]) -> bool:
    if set(changes) & set(part):
        part.update(changes)
        return True
    return any(_change(value, changes) for value in part.values() if isinstance(value, dict))


@contextmanager
def serve(model: bytes) -> Iterator[Recorded]:
    """The recorded server, with the bytes of a skops model as the file of its model."""
    mlmodel = (HERE / "MLmodel").read_bytes()
    texts = dict.fromkeys(("conda.yaml", "python_env.yaml", "requirements.txt"), b"")
    files = {f"{FILES}/{name}": data for name, data in texts.items()}
    files |= {f"{FILES}/MLmodel": mlmodel, f"{FILES}/model.skops": model}
    files[f"1/{RUN}/artifacts/deep/er/note.txt"] = b"hello"
    recorded = Recorded(json.loads((HERE / "answers.json").read_bytes()), files)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(recorded))
    recorded.address = f"http://127.0.0.1:{server.server_address[1]}"
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield recorded
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def _handler(recorded: Recorded) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            recorded.asked.append(self.path)
            recorded.shown.append(self.headers.get("Authorization"))
            path = urlsplit(self.path)
            if path.path.startswith(f"{ARTIFACTS}/"):
                name = unquote(path.path.removeprefix(f"{ARTIFACTS}/"))
                data = recorded.files.get(name)
                self._answer(404 if data is None else 200, data or b"{}")
                return
            answer = recorded.answers.get(self.path)
            if answer is None and "path" in parse_qs(path.query):
                answer = {"status": 200, "body": {}}  # MLflow lists nothing for what is not there
            if answer is None:
                answer = {"status": 404, "body": {"error_code": "RESOURCE_DOES_NOT_EXIST"}}
            self._answer(answer["status"], json.dumps(answer["body"]).encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", json.loads(body)["to"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    return Handler
