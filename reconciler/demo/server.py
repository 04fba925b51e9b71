"""A throwaway SFTP server on this machine, for the demo and the tests. asyncssh, not the client's library."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

STARTUP_SECONDS = 30

Observer = Callable[[str, str], None]
"""Called in the server's thread with what a client does (`auth`, `password`, `key`) and its user name."""


@dataclass(frozen=True, slots=True)
class Account:
    """A login, and the folder that is the whole of what it sees."""

    root: Path
    password: str | None = field(default=None, repr=False)
    authorized_key: str | None = None
    """A public key as `type base64`; a login may have both this and a password."""


class LocalSftpServer:
    """An SFTP server on 127.0.0.1 at a port of the system's choice, running in its own thread.

    Started by the constructor or `with`; needs the extra `demo`. Subclasses may override `files` to serve
    something else than the accounts' folders.
    """

    def __init__(
        self,
        accounts: Mapping[str, Account],
        *,
        key_types: Sequence[str] = ("ssh-ed25519",),
        observer: Observer | None = None,
    ) -> None:
        """Raises ModuleNotFoundError without asyncssh, OSError when no port can be had."""
        import asyncssh  # noqa: PLC0415 – an extra: only who starts a server needs it

        logging.getLogger("asyncssh").setLevel(logging.CRITICAL)
        self.accounts = dict(accounts)
        self.port = 0
        self._observer = observer
        self._keys = [asyncssh.generate_private_key(kind) for kind in key_types]
        self._connections: set[Any] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="local-sftp", daemon=True)
        self._thread.start()
        try:
            self._listener = self._run(self._listen())
        except BaseException:
            self._end_loop()
            raise

    @property
    def host_keys(self) -> tuple[str, ...]:
        """The server's public keys as `type base64`, in the order of `key_types`."""
        return tuple(_public(key) for key in self._keys)

    @property
    def host_key(self) -> str:
        """The first of them: what goes under `host_key:` in a district's file."""
        return self.host_keys[0]

    @property
    def fingerprints(self) -> tuple[str, ...]:
        return tuple(str(key.get_fingerprint("sha256")) for key in self._keys)

    @property
    def fingerprint(self) -> str:
        """The first key's `SHA256:…`."""
        return self.fingerprints[0]

    def stop(self) -> None:
        """Closes the port and every connection and ends the thread; may be called twice."""
        if not self._loop.is_closed():
            self._run(self._close())
            self._end_loop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def files(self, channel: Any) -> Any:
        """The asyncssh.SFTPServer for one login: its account's folder as the root of everything."""
        import asyncssh  # noqa: PLC0415 – as above

        account = self.accounts[channel.get_extra_info("username")]
        return asyncssh.SFTPServer(channel, chroot=str(account.root).encode())

    def observe(self, what: str, username: str) -> None:
        """Tells the observer; called in the server's thread."""
        if self._observer is not None:
            self._observer(what, username)

    async def _listen(self) -> Any:
        import asyncssh  # noqa: PLC0415 – as above

        listener = await asyncssh.create_server(
            _gate(self, self._connections),
            "127.0.0.1",
            0,
            server_host_keys=self._keys,
            sftp_factory=self.files,
            agent_forwarding=False,
            allow_scp=False,
        )
        self.port = listener.get_port()
        return listener

    async def _close(self) -> None:
        self._listener.close()
        open_connections = list(self._connections)
        for connection in open_connections:
            connection.abort()
        await asyncio.gather(*(connection.wait_closed() for connection in open_connections))
        await self._listener.wait_closed()
        await _end(asyncio.all_tasks() - {asyncio.current_task()})
        await asyncio.sleep(0)  # a turn of the loop, in which what was aborted closes its socket
        await self._loop.shutdown_default_executor()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(STARTUP_SECONDS)

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STARTUP_SECONDS)
        self._loop.close()


async def _end(tasks: set[asyncio.Task[Any]]) -> None:
    """Lets tasks finish, so that they close their files; ends those that do not by themselves."""
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=2)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


def _public(key: Any) -> str:
    return " ".join(key.export_public_key("openssh").decode("ascii").split()[:2])


def _gate(server: LocalSftpServer, connections: set[Any]) -> Callable[[], Any]:
    """A factory of asyncssh.SSHServer that admits the server's accounts."""
    import asyncssh  # noqa: PLC0415 – as above

    class Gate(asyncssh.SSHServer):
        def connection_made(self, conn: Any) -> None:
            self._connection = conn
            connections.add(conn)

        def connection_lost(self, exc: Exception | None) -> None:
            connections.discard(self._connection)

        def begin_auth(self, username: str) -> bool:
            server.observe("auth", username)
            return True

        def password_auth_supported(self) -> bool:
            return any(account.password is not None for account in server.accounts.values())

        def validate_password(self, username: str, password: str) -> bool:
            server.observe("password", username)
            account = server.accounts.get(username)
            return account is not None and account.password is not None and account.password == password

        def public_key_auth_supported(self) -> bool:
            return any(account.authorized_key is not None for account in server.accounts.values())

        def validate_public_key(self, username: str, key: Any) -> bool:
            server.observe("key", username)
            account = server.accounts.get(username)
            wanted = account.authorized_key if account is not None else None
            return wanted is not None and wanted.split()[:2] == _public(key).split()

    return Gate
