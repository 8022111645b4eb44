"""A real time-stamping authority: the openssl command behind an HTTP server on this machine."""

from __future__ import annotations

import http.server
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_CONFIGURATION = """\
[ tsa ]
default_tsa = authority

[ authority ]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256

[ signing ]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid

[ root ]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""


@dataclass(frozen=True, slots=True)
class Authority:
    """folder: its keys and certificates. roots: PEM, what a user pins."""

    folder: Path

    @property
    def roots(self) -> Path:
        return self.folder / "root.pem"

    def reply(self, query: bytes) -> bytes:
        """TimeStampResp to a TimeStampReq, both DER."""
        (self.folder / "query.tsq").write_bytes(query)
        self.openssl(
            "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query.tsq", "-signer", "tsa.pem",
            "-inkey", "tsa.key", "-out", "reply.tsr",
        )  # fmt: skip
        return (self.folder / "reply.tsr").read_bytes()

    def openssl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_openssl(*arguments, folder=self.folder)


def run_openssl(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The real command. The test is skipped where there is none."""
    command = shutil.which("openssl")
    if command is None:
        pytest.skip("the openssl command is not installed")
    done = subprocess.run(
        [command, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise OSError(done.stderr)
    return done


def new_authority(folder: Path) -> Authority:
    """A root, and a certificate under it that may stamp times."""
    made = Authority(folder)
    (folder / "tsa.cnf").write_text(_CONFIGURATION.format(folder=folder), "utf-8")
    (folder / "serial").write_text("01\n", "ascii")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    made.openssl(
        "req", "-x509", *curve, "-keyout", "root.key", "-out", "root.pem", "-days", "30",
        "-subj", "/CN=Test root", "-config", "tsa.cnf", "-extensions", "root",
    )  # fmt: skip
    made.openssl("req", "-new", *curve, "-keyout", "tsa.key", "-out", "tsa.csr",
                 "-subj", "/CN=Test authority", "-config", "tsa.cnf")  # fmt: skip
    made.openssl(
        "x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key", "-days", "30",
        "-CAcreateserial", "-extfile", "tsa.cnf", "-extensions", "signing", "-out", "tsa.pem",
    )  # fmt: skip
    return made


@contextmanager
def stamping(answer: Authority | bytes) -> Iterator[str]:
    """The address of an authority, or of somebody who always says the same."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["content-length"]))
            reply = answer if isinstance(answer, bytes) else answer.reply(query)
            self.send_response(200)
            self.send_header("content-type", "application/timestamp-reply")
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
