"""Logs go to standard error, as text or as one JSON object a line. Of libraries only who spoke is told."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from reconciler.cli.terminal.silence import hear_libraries


class _JsonFormatter(logging.Formatter):
    """One JSON object a record."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(
            {
                "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
                "level": record.levelname.lower(),
                "logger": record.name,
                "message": record.getMessage(),
            }
        )


def set_up_logging(level: str, form: str) -> None:
    """Send our own log records of this level and above to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")
    handler.setFormatter(_JsonFormatter() if form == "json" else text)
    ours = logging.getLogger("reconciler")
    ours.handlers[:] = [handler]
    ours.setLevel(level.upper())
    ours.propagate = False
    hear_libraries()
