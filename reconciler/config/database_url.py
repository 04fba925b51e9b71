"""What a database's URL gives away."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit


def holds_password(url: str) -> bool:
    """Whether a database's URL carries a password."""
    try:
        parts = urlsplit(url)
        return bool(parts.password) or "password" in parse_qs(parts.query)
    except ValueError:
        # Odd brackets in a host: a colon before an @ is the sign of a password all the same.
        return ":" in url.partition("://")[2].rpartition("@")[0]
