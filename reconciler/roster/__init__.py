"""The data plane: reads a district's CSV files, runs a compiled mapper, accounts for every row, compares.

The only importer of duckdb. It writes to nobody: what has to change is handed to the store as a delta."""

from __future__ import annotations
