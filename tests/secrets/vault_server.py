"""A small server that speaks the part of Vault's HTTP interface that reading a secret needs."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "a-test-token"


@dataclass
class Vault:
    """What it holds, and what it was asked for. `secrets` is by mount and path."""

    secrets: dict[str, dict[str, dict[str, Any]]]
    versions: dict[str, int] = field(default_factory=dict)
    preflight: bool = True
    """Answers which mount a path is of; older servers do not."""
    status: int = 200
    """What it answers instead: 503 is a sealed one."""
    redirect: str = ""
    seconds: float = 0
    body: bytes = b""
    asked: list[str] = field(default_factory=list)
    address: str = ""

    def answer(self, path: str, token: str) -> tuple[int, Any]:
        self.asked.append(path)
        time.sleep(self.seconds)
        if self.status != 200:
            return self.status, {"errors": ["hunter2-Canary is what this server would say"]}
        if token != TOKEN:
            return 403, {"errors": ["permission denied"]}
        if path.startswith("/v1/sys/internal/ui/mounts/"):
            return self._mount(path.removeprefix("/v1/sys/internal/ui/mounts/"))
        mount, _, rest = path.removeprefix("/v1/").partition("/")
        second = self.versions.get(mount, 2) == 2
        name = rest.removeprefix("data/") if second else rest
        found = self.secrets.get(mount, {}).get(name)
        if found is None or (second and not rest.startswith("data/")):
            return 404, {"errors": []}
        return 200, {"data": {"data": found, "metadata": {"version": 3}} if second else found}

    def _mount(self, path: str) -> tuple[int, Any]:
        mount = path.split("/", maxsplit=1)[0]
        if not self.preflight or mount not in self.secrets:
            return 403, {"errors": ["preflight capability check returned 403"]}
        options = {"version": "2"} if self.versions.get(mount, 2) == 2 else None
        return 200, {"data": {"path": f"{mount}/", "type": "kv", "options": options}}


@contextmanager
def vault_server(vault: Vault) -> Iterator[Vault]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, said = vault.answer(self.path, self.headers.get("X-Vault-Token", ""))
            if vault.redirect:
                status = 307
            body = vault.body or json.dumps(said).encode()
            self.send_response(status)
            if vault.redirect:
                self.send_header("Location", vault.redirect)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(BrokenPipeError, ConnectionResetError):  # who asked did not wait
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    vault.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield vault
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
