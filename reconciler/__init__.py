"""Config-as-code for K-12 roster integrations: districts in git become synced rosters in a database."""

from __future__ import annotations

__version__ = "0.1.0"
