"""Secret references (env, file and registered providers) become values here, late, and only where allowed."""

from __future__ import annotations
