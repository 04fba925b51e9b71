"""Pure: what differs between desired and observed, which steps follow, and which limits hold.

No clock, no file, no socket and no SQL in this package: time and everything else arrives as an argument."""

from __future__ import annotations
