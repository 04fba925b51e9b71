"""Real servers for the tests: asyncssh in a thread, and OpenSSH's sshd."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from reconciler.demo.server import Account, LocalSftpServer

USERNAME = "roster"
PASSWORD = "correct-horse-Zx81-battery"


@dataclass(slots=True)
class Watched:
    """What a server saw its clients do, in order: (`auth` | `password` | `key`, user name)."""

    seen: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, what: str, username: str) -> None:
        self.seen.append((what, username))

    def count(self, what: str) -> int:
        return sum(1 for event, _ in self.seen if event == what)


@dataclass(frozen=True, slots=True)
class SftpSite:
    """A running server with one account: where to log in, and the folder that the account sees as `/`."""

    server: LocalSftpServer
    root: Path
    watched: Watched
    host: str = "127.0.0.1"
    username: str = USERNAME
    password: str = field(default=PASSWORD, repr=False)

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def host_key(self) -> str:
        return self.server.host_key

    @property
    def fingerprint(self) -> str:
        return self.server.fingerprint


def sftp_site(root: Path, *, key_types: tuple[str, ...] = ("ssh-ed25519",)) -> SftpSite:
    """Starts a server for one account with a password; stop it with `site.server.stop()`."""
    watched = Watched()
    account = Account(root, password=PASSWORD)
    server = LocalSftpServer({USERNAME: account}, key_types=key_types, observer=watched)
    return SftpSite(server, root, watched)


def keygen(path: Path, kind: str = "ed25519", passphrase: str = "", *extra: str) -> Path:
    """A new key pair at `path` and `path`.pub."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "", "-f", str(path), *extra],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return path


def _fingerprint(public_key: str) -> str:
    done = subprocess.run(
        ["ssh-keygen", "-l", "-E", "sha256", "-f", "-"],
        input=public_key,
        text=True,
        capture_output=True,
        check=True,
    )
    return done.stdout.split()[1]


def sshd_path() -> str | None:
    """Where OpenSSH's server is installed; it must be called by its full path."""
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


class Sshd:
    """OpenSSH's sshd as the current user, login by key, serving one folder.

    We listen and hand each connection to an `sshd -i`: so the port is never lost to another process.
    """

    host = "127.0.0.1"

    def __init__(self, folder: Path, root: Path, *options: str) -> None:
        """`folder` takes keys and configuration, which `options` overrule; a login starts at `root`."""
        self.root = root
        self.username = getpass.getuser()
        self.private_key = keygen(folder / "user_key").read_text()
        self._config = self._configure(folder, options)
        self._log = (folder / "sshd.log").open("ab")
        self._children: list[subprocess.Popen[bytes]] = []
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="sshd-listener", daemon=True)
        self._thread.start()

    def _configure(self, folder: Path, options: Sequence[str]) -> Path:
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd locks its unprivileged half up
        keys = [keygen(folder / f"host_{kind}", kind) for kind in ("ed25519", "ecdsa", "rsa")]
        self.host_keys = tuple(" ".join(Path(f"{key}.pub").read_text().split()[:2]) for key in keys)
        self.host_key = self.host_keys[0]
        lines = [
            *options,  # the first word on a subject is the one that counts
            *(f"HostKey {key}" for key in keys),
            f"AuthorizedKeysFile {folder / 'user_key.pub'}",
            f"Subsystem sftp internal-sftp -d {self.root}",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin prohibit-password",
            "UsePAM no",
            "StrictModes no",
            "PidFile none",
            "",
        ]
        config = folder / "sshd_config"
        config.write_text("\n".join(lines))
        return config

    def _serve(self) -> None:
        command = [sshd_path() or "sshd", "-i", "-e", "-f", str(self._config)]
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    self._children.append(
                        subprocess.Popen(command, stdin=connection, stdout=connection, stderr=self._log)
                    )

    def fingerprints(self) -> tuple[str, ...]:
        """The host keys' `SHA256:…`, as ssh-keygen prints them."""
        return tuple(_fingerprint(key) for key in self.host_keys)

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)
        for child in self._children:
            child.terminate()
            child.wait(10)
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
