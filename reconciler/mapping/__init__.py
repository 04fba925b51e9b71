"""Pure: the mapper model and its compilation to SQL over all-text tables; the built-in mappers as JSON."""

from __future__ import annotations
