"""dlt's merge of the two files: `.venv-bench/bin/python benchmarks/peer_dlt.py rows|arrow FOLDER STATE`.

Into DuckDB with parquet files between, by far its fastest way. `rows` hands it dictionaries, as its guides
begin with; `arrow` hands it tables that pyarrow reads, which spares it every look at a value.
"""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

KEYS = {"students": ["id"], "contacts": ["student", "name", "phone"]}
BATCH = 10_000


def main() -> None:
    way, folder, state = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    os.environ.update(RUNTIME__DLTHUB_TELEMETRY="false", RUNTIME__LOG_LEVEL="ERROR", DLT_DATA_DIR=str(state))
    import dlt

    read = _rows if way == "rows" else _tables
    resources = [
        dlt.resource(read(folder / f"{name}.csv"), name=name, write_disposition="merge", primary_key=key)
        for name, key in KEYS.items()
    ]
    pipeline = dlt.pipeline(
        "bench", pipelines_dir=str(state / "pipelines"), dataset_name="roster",
        destination=dlt.destinations.duckdb(str(state / "dlt.duckdb")),
    )  # fmt: skip
    pipeline.run(resources, loader_file_format="parquet").raise_on_failed_jobs()
    print(dlt.__version__)


def _rows(path: Path) -> Iterator[list[dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader, batch = csv.DictReader(file), []
        for row in reader:
            batch.append(row)
            if len(batch) == BATCH:
                yield batch
                batch = []
        yield batch


def _tables(path: Path) -> Iterator[Any]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    with path.open(encoding="utf-8") as file:
        header = file.readline().strip().split(",")
    options = arrow_csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string()))
    yield arrow_csv.read_csv(path, convert_options=options)


if __name__ == "__main__":
    main()
