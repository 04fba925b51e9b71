"""Values in, text out: tables, JSON, GitHub annotations and SARIF. Nothing here reads a file or prints."""

from __future__ import annotations
