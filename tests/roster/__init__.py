"""What reconciler.roster promises."""

from __future__ import annotations
