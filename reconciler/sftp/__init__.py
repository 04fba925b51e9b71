"""A district's server, behind one class that is safe by construction. The only importer of paramiko."""

from __future__ import annotations
