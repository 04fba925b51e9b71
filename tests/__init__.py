"""The tests: each folder is a chapter of the specification."""

from __future__ import annotations
