"""The terminal and the streams: usage, progress, logs, and the end of every command."""

from __future__ import annotations
