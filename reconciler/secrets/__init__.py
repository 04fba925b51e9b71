"""Secret references (env, file and registered providers) become values here, late, and only where allowed."""

from __future__ import annotations

from reconciler.secrets.context import SecretContext
from reconciler.secrets.login import login_of
from reconciler.secrets.resolver import SecretResolver
from reconciler.secrets.secret import Secret
from reconciler.secrets.trust import may_send

__all__ = ["Secret", "SecretContext", "SecretResolver", "login_of", "may_send"]
