"""What reconciler.documents promises."""

from __future__ import annotations
