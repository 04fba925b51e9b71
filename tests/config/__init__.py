"""What reconciler.config promises."""

from __future__ import annotations
