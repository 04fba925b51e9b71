"""The demo, the example fleet, and the pages that people read first."""

from __future__ import annotations
