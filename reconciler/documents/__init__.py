"""YAML and JSON files as values that know their line and column, and JSON Schema findings as problems.

The only importer of yaml and jsonschema. Everything that a person writes by hand is read here, safely."""

from __future__ import annotations
