"""The versions of the tables that this program knows."""

from __future__ import annotations

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
"""Every revision that this program knows, oldest first."""
