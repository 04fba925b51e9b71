"""What paramiko may say: nothing, unless our own level is debug; then one clean line at a time.

Its records carry texts of the server, control characters included, and tracebacks at level ERROR for what
we report in our own words. Hex dumps of the traffic are never turned on.
"""

from __future__ import annotations

import logging

from reconciler.sftp.errors import printable

log = logging.getLogger("reconciler.sftp.wire")


class _Relay(logging.Handler):
    """Hands paramiko's records to our logger at level DEBUG, as printable text."""

    def emit(self, record: logging.LogRecord) -> None:
        log.debug("%s", printable(record.getMessage(), limit=500))


def hush() -> None:
    """Sets paramiko's loggers to our level; called before each connection, since levels may change."""
    theirs = logging.getLogger("paramiko")
    theirs.propagate = False
    if not any(isinstance(handler, _Relay) for handler in theirs.handlers):
        theirs.addHandler(_Relay())
    theirs.setLevel(logging.DEBUG if log.isEnabledFor(logging.DEBUG) else logging.CRITICAL + 1)
