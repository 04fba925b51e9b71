"""What reconciler.secrets promises."""

from __future__ import annotations
