"""Where to connect, as whom, and how long a server may keep us."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

KIB = 1024
GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server may cost us, in seconds of wall clock, bytes and names."""

    connect_seconds: float = 10
    """For the look-up of the name, and again for each address tried."""
    step_seconds: float = 15
    """For each of key exchange, login and the opening of SFTP; within a transfer, for one silence."""
    session_seconds: float = 60
    """For everything up to the login together, and again for each listing."""
    transfer_seconds: float = 120
    """How far a download may fall behind `min_rate`: the least that it gets, however small the file."""
    min_rate: int = 64 * KIB
    """Bytes a second that a download has to keep up with. What counts is what came, not what is claimed."""
    visit_seconds: float = 300
    """For all of these together, but for the time that files earn by `min_rate`."""
    longest_seconds: float = 4 * 3600
    """The most that a file can earn."""
    max_bytes: int = 20 * GIB
    """A file that claims to be larger is not opened for reading."""
    max_names: int = 20_000
    """A folder with more entries is not listed to its end."""

    def earned(self, received: int) -> float:
        """Seconds that a download may take longer for the bytes of the file that came."""
        return min(received / self.min_rate, self.longest_seconds)


@dataclass(frozen=True, slots=True)
class Target:
    """One login on one server, its secrets resolved. Exactly one of `password` and `private_key` is set."""

    host: str
    port: int
    username: str
    password: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)
    """The text of a key in OpenSSH or PEM form."""
    passphrase: str | None = field(default=None, repr=False)
    pins: tuple[str, ...] = ()
    """`SHA256:…` fingerprints or `type base64` public keys, as a district's file has them."""
    accept_first: bool = False
    """Take whichever key is shown. Only for `policy.host_keys: first-use` with nothing recorded yet."""
    limits: Limits = field(default_factory=Limits)
    secret_slot: str = ""
    """While a secret is rotated, which of the two this is: `current` or `next`. Empty: the only one."""
    before_login: Callable[[], None] = field(default=lambda: None, repr=False, compare=False)
    """Called when the server is trusted and the login is about to be sent; what it raises comes out."""
    note: str = ""
    """What a person should know of the secret that is used, once it has logged in."""

    @property
    def address(self) -> str:
        """`host:port`, as messages name the server."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
