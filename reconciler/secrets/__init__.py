"""Secret references (env, file and registered providers) become values here, late, and only where allowed."""

from __future__ import annotations

from reconciler.secrets.context import SecretContext
from reconciler.secrets.resolver import SecretResolver
from reconciler.secrets.secret import Secret

__all__ = ["Secret", "SecretContext", "SecretResolver"]
