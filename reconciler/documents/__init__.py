"""Files that people write: YAML and JSON read with positions, safely, and checked against JSON Schema.

The only package that knows yaml and jsonschema. Start at `reader.read_document` and `schema.schema_problems`.
"""

from __future__ import annotations
