"""What the repository says: districts/*.yaml and reconciler.yaml as frozen types, checked across files."""

from __future__ import annotations
