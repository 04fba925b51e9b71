"""Plans made, looked at, saved and read back, for `plan` and `reconcile`."""

from __future__ import annotations
