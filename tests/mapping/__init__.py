"""What reconciler.mapping promises."""

from __future__ import annotations
