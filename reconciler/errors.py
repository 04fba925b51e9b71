"""Everything that can go wrong, as one tree with stable codes.

A message says what happened and where; the hint says what to do next. Neither ever holds a secret or a
child's data: paths, hosts, district ids, file and column names, counts and row numbers only.

    ReconcilerError
    ├── UsageError                  usage.*                          exit 64
    ├── ConfigError                 config.*, carries every Problem found
    ├── MapperError                 mapper.schema, mapper.column, mapper.unknown
    ├── SecretError                 secret.missing, secret.bound (secret.literal is a Problem)
    ├── SftpError                   sftp.unreachable · timeout · host-key · auth · path · no-files · …
    ├── RosterError                 csv.encoding · header · rows · empty · truncated · ambiguous · archive
    ├── HoldError                   sync.removals · changes · contacts · file-changing   exit 3
    ├── LockError                   lock.held, lock.lost
    ├── PlanError                   plan.stale, plan.older, plan.file
    ├── StoreError                  database.unreachable · version · role · failed
    └── OutputError                 output.failed
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "notice"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding in a file that a person wrote.

    `line` and `column` count from 1; 0 means the file as a whole. `path` is the dotted path inside the
    document, as `sftp.port` or `schools[2].sis_id`; empty for the document itself.
    """

    code: str
    severity: Severity
    file: str
    line: int
    column: int
    path: str
    message: str
    hint: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def place(self) -> str:
        """`file:line:column`, or the file alone where the problem is of all of it."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def __str__(self) -> str:
        """Place, path and message on one line."""
        return f"{self.place} {self.path}: {self.message}" if self.path else f"{self.place}: {self.message}"


class ReconcilerError(Exception):
    """Something failed for a reason that a person can act on.

    Raised only through the subclasses below. `code` is stable; `retryable` says whether trying again,
    with nothing changed, can help.
    """

    code = "internal"

    def __init__(self, message: str, *, code: str | None = None, hint: str = "", retryable: bool = False):
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.hint = hint
        self.retryable = retryable

    def to_json(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "hint": self.hint}


class UsageError(ReconcilerError):
    """The command was called in a way that cannot work."""

    code = "usage"


class ConfigError(ReconcilerError):
    """A file of the configuration repository is wrong; `problems` holds every finding."""

    code = "config.schema"

    def __init__(
        self, message: str, problems: Sequence[Problem] = (), *, code: str | None = None, hint: str = ""
    ):
        first = next((p for p in problems if p.severity == "error"), None)
        super().__init__(
            message, code=code or (first.code if first else None), hint=hint or (first.hint if first else "")
        )
        self.problems = tuple(problems)


class MapperError(ReconcilerError):
    """A mapper does not fit its schema, or names a column that no file has."""

    code = "mapper.schema"


class SecretError(ReconcilerError):
    """A secret is not there, or may not be used where it is asked for. Never holds the value."""

    code = "secret.missing"


class SftpError(ReconcilerError):
    """The district's server could not be reached, trusted, logged in to or read."""

    code = "sftp.unreachable"
    at_login = False
    """A secret was sent, or may have been, and was not taken: to send it again may lock the account."""


class RosterError(ReconcilerError):
    """A roster file as a whole cannot be taken."""

    code = "csv.rows"


class HoldError(ReconcilerError):
    """Nothing failed, but a safety limit holds the district; nothing of the sync was written."""

    code = "sync.removals"

    def __init__(
        self, message: str, *, code: str | None = None, hint: str = "", retryable: bool = False,
        cause: str = "", digest: str = "", limits: Sequence[dict[str, Any]] = (),
    ):  # fmt: skip
        super().__init__(message, code=code, hint=hint, retryable=retryable)
        self.cause = cause
        """A stable code of the likely cause, where one was looked for."""
        self.digest = digest
        """Of the very rows that are held, under a key that only the database has; what an approval names."""
        self.limits = tuple(limits)
        """What of limits would be broken, in counts."""

    def to_json(self) -> dict[str, Any]:
        more = {"cause": self.cause, "digest": self.digest, "limits": list(self.limits)}
        return super().to_json() | {name: value for name, value in more.items() if value}


class LockError(ReconcilerError):
    """Another run works on this district, or has taken it over from us."""

    code = "lock.held"


class PlanError(ReconcilerError):
    """A saved plan no longer describes what would happen."""

    code = "plan.stale"


class StoreError(ReconcilerError):
    """The database cannot be reached, is of another version, or refused."""

    code = "database.unreachable"


class OutputError(ReconcilerError):
    """The report cannot be written: the disk behind standard output is full, say."""

    code = "output.failed"
