"""What reconciler.sftp promises."""

from __future__ import annotations
