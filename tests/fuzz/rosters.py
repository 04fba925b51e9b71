"""Target: what a district delivers: CSV files, zips and gz, from bytes to rows, all the way.

An input is `MAPPER`, then for each file `\\n=file=NAME\\n` and its content.
"""

from __future__ import annotations

import csv
import re
import tempfile
import unicodedata
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.errors import ReconcilerError
from reconciler.mapping.columns import SPACES
from reconciler.mapping.entities import ENTITIES, STORED
from reconciler.mapping.model import Mapper
from reconciler.roster.database import open_database
from reconciler.roster.delta import Reject, RemoteFile, RowCounts
from reconciler.roster.packages.manifest import read_manifest
from reconciler.roster.packages.package import Package
from reconciler.roster.reading import bulk
from reconciler.roster.reading.archives import Contents, files_to_fetch, open_delivery
from reconciler.roster.reading.encoding import first_undecodable
from reconciler.roster.reading.reader import ParsedFile, read_header, read_rows
from reconciler.roster.reading.unpacking import ArchiveLimits
from reconciler.roster.roster import Roster
from tests.fuzz.oracles import (
    CANARY,
    expect,
    expect_no_canary,
    expect_showable,
    in_time,
    result_or_refusal,
    same,
)
from tests.fuzz.roster_seeds import MAPPERS, MARK, SEEDS, WORDS
from tests.roster.running import Stored, stored_csv

__all__ = ["SEEDS", "WORDS", "check", "check_deeply"]

LIMITS = ArchiveLimits(max_bytes=4 << 20, ratio_counts_from=1 << 20, max_members=20, max_directory=1 << 16)
"""The product's rules with smaller numbers, so that an input can reach them."""
CPU_SECONDS = 5.0
EACH = 8


@dataclass(frozen=True)
class _Read:
    """What came of one delivery."""

    counts: Mapping[str, RowCounts]
    rows: Mapping[str, list[dict[str, Any]]]
    rejects: list[Reject]
    said: tuple[str, ...]
    upserts: Mapping[str, list[tuple[Any, ...]]]
    removals: Mapping[str, list[tuple[str, ...]]]
    mapped: Mapping[str, int]
    """Rows of each entity before any was judged."""


def check(data: bytes) -> None:
    """Every promise of what is read of a delivery, for these bytes.

    The database takes a hundred times as long as all else: it has one input in EACH, which the bytes decide.
    """
    _check(data, deeply=zlib.crc32(data) % EACH == 0)


def check_deeply(data: bytes) -> None:
    """As `check`, always through the database."""
    _check(data, deeply=True)


def _check(data: bytes, *, deeply: bool) -> None:
    mapper, files = _input(data)
    with in_time(CPU_SECONDS), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        listing = _written(folder, files)
        contents, refused = result_or_refusal(lambda: _opened(mapper, listing, folder))
        _check_folder(folder, files)
        if contents is None:
            _check_words(refused, (), is_named=_is_data_named(files, {}))
            return
        there = {n: p.read_bytes() for n, p in contents.paths.items()}
        is_named = _is_data_named(files, there)
        for path in {contents.paths[file.name] for found in contents.chosen.values() for file in found}:
            _check_lines(path, is_named=is_named)
            if deeply:
                _check_both_ways(path)
        if deeply:
            _check_rows(mapper, contents, folder, is_named=is_named)


def _check_rows(mapper: Mapper, contents: Contents, folder: Path, *, is_named: bool) -> None:
    read, refused = result_or_refusal(lambda: _read(mapper, contents, folder, {}))
    _check_words(refused, read.said if read else (), is_named=is_named)
    if read is not None:
        _check_counts(read)
        _check_ids(read, contents)
        _check_again(mapper, contents, folder, read)


def _check_lines(path: Path, *, is_named: bool) -> None:
    """Every line of a file is a row that was read, or one that was set apart; none is both, none is lost."""
    parsed, refused = result_or_refusal(lambda: read_header(path, display="file.csv"))
    if parsed is None:
        _check_words(refused, (), is_named=is_named)
        return
    plain = path.with_suffix(".plain")
    _, refused = result_or_refusal(lambda: read_rows(path, plain, parsed))
    _check_words(refused, [b.reason for b in parsed.broken], is_named=is_named)
    with plain.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, strict=True))
    plain.unlink()
    if refused is not None:
        return
    same("rows that are written", len(rows), parsed.rows)
    expect(all(len(row) == len(parsed.kept) + 1 for row in rows), "every row has the cells that are read")
    numbers = [int(row[0]) for row in rows]
    expect(numbers == sorted(set(numbers)), "rows come in the order of the file")
    expect(not {b.line for b in parsed.broken} & set(numbers), "a line that could not be read is no row")
    _check_none_lost(path, parsed)


def _check_none_lost(path: Path, parsed: ParsedFile) -> None:
    """Where nothing is quoted every line that says something is a row."""
    with path.open(encoding=parsed.encoding, newline="") as file:
        lines = list(file)
    if any('"' in line for line in lines):
        return
    said = [line for line in lines if line.strip(SPACES + ",;|\x1a" + parsed.delimiter)]
    if said and not said[0].strip().lower().startswith("sep="):
        found = parsed.rows + len(parsed.broken)
        least = len(said) - 1 - bool(parsed.trailer)
        # A line of nothing but other delimiters may be a row as well.
        expect(least <= found < len(lines), f"every line is a row or told: {found}, at least {least}")


def _input(data: bytes) -> tuple[Mapper, dict[str, bytes]]:
    first, *rest = data.split(MARK)
    named = (part.partition(b"\n") for part in rest[:6])
    files = {_file_name(name): content for name, _, content in named}
    return MAPPERS.get(first.strip(), MAPPERS[b"wide"]), files


def _file_name(raw: bytes) -> str:
    """A name that the listing of a server would let through; hostile ones are another target's."""
    name = raw.decode("utf-8", errors="ignore").replace("/", "")[:40]
    kept = "".join(
        c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co")
    )
    return kept if kept.strip(". ") else "students.csv"


def _written(folder: Path, files: Mapping[str, bytes]) -> list[RemoteFile]:
    (folder / "in").mkdir()
    (folder / "out").mkdir()
    listing = []
    for number, (name, content) in enumerate(files.items()):
        (folder / "in" / f"file-{number}").write_bytes(content)
        listing.append(RemoteFile(name, len(content), 1_700_000_000.0 + number))
    return listing


def _opened(mapper: Mapper, listing: list[RemoteFile], folder: Path) -> Contents:
    local = {file.name: folder / "in" / f"file-{number}" for number, file in enumerate(listing)}
    wanted = {file.name for file in files_to_fetch(mapper, listing)}
    fetched = {name: path for name, path in local.items() if name in wanted}
    return open_delivery(mapper, listing, fetched, folder / "out", LIMITS)


def _check_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """What is unpacked has names of ours, lies where it should, and is no more than the limits allow."""
    inside = [path for path in folder.rglob("*") if path.is_file() or path.is_symlink()]
    names = {path.relative_to(folder).as_posix() for path in inside}
    ours = {f"in/file-{number}" for number in range(len(files))}
    others = {name for name in names - ours if not _is_ours(name)}
    expect(not others, f"no name of an archive becomes a path: {sorted(others)[:3]}")
    size = sum(path.stat().st_size for path in (folder / "out").rglob("*") if path.is_file())
    expect(
        size <= len(files) * (LIMITS.max_bytes + (1 << 20)), f"an archive unpacks to a bounded size: {size}"
    )


def _is_ours(name: str) -> bool:
    parts = name.split("/")
    return (
        len(parts) == 3
        and parts[0] == "out"
        and parts[1].startswith("unpacked-")
        and parts[2].startswith("member-")
    )


def _is_data_named(files: Mapping[str, bytes], there: Mapping[str, bytes]) -> bool:
    """Whether the canary stands where names do: of files, of members, of columns; they are told."""
    if any(CANARY.casefold() in name.casefold() for name in (*files, *there)):
        return True
    contents = (*files.values(), *there.values())
    codecs = ("utf-8", "cp1252", "utf-16", "utf-16-be", "utf-32")
    heads = (_head(content.decode(codec, errors="replace")) for content in contents for codec in codecs)
    return any(CANARY.casefold() in head.casefold() and not _is_row(head) for head in heads)


def _head(text: str) -> str:
    """The line that is taken for the header."""
    lines = text.lstrip("\ufeff\r\n,;|\t \x00").replace("\r", "\n").split("\n")
    return next((line for line in lines if not line.lower().startswith(("sep=", '"sep='))), "")


def _is_row(head: str) -> bool:
    """Whether a line has a number, a date or an address in a cell, as no header has, however it is cut."""
    cuts = [head.split(delimiter) for delimiter in ",;|\t" if delimiter in head] or [[head]]
    return '"' not in head and all(any(_is_value(cell.strip()) for cell in cut) for cut in cuts)


def _is_value(cell: str) -> bool:
    return "@" in cell or re.fullmatch(r"\d[\d./-]*", cell, re.ASCII) is not None


def _read(mapper: Mapper, contents: Contents, folder: Path, stored: Stored) -> _Read:
    scratch = Path(tempfile.mkdtemp(dir=folder))
    manifest = read_manifest(mapper, contents.local(), scratch)
    package = Package(manifest) if manifest else None
    with Roster(mapper, contents.local(), scratch, package=package) as roster:
        mapped = {
            entity: roster._db.execute(f"SELECT count(*) FROM raw_{entity}").fetchone()[0]
            for entity in ENTITIES
        }
        counts = roster.resolve(None, stored=lambda entity: stored_csv(stored, entity))
        deltas = {d.entity: d for d in roster.deltas()}
        rejects = roster.rejects()
        said = (
            *contents.notices, *roster.notices, *roster.blocked().values(),
            *(text for r in rejects for text in (r.reason, r.code, r.column, r.file)),
        )  # fmt: skip
        return _Read(
            counts=counts,
            rows={e: list(roster.rows(e)) for e in ENTITIES},
            rejects=rejects,
            said=said,
            upserts={e: list(d.upserts()) for e, d in deltas.items()},
            removals={e: list(d.removals()) for e, d in deltas.items()},
            mapped=mapped,
        )


def _check_words(refused: ReconcilerError | None, said: Sequence[str], *, is_named: bool) -> None:
    texts = (*said, *((refused.message, refused.hint) if refused else ()))
    expect_showable(texts)
    if not is_named:
        expect_no_canary(texts, "a child's data")


def _check_counts(read: _Read) -> None:
    """Every row that was read is in one of the counts, and what is to be written is what they say."""
    for entity in STORED:
        counts = read.counts[entity]
        said = counts.to_json()
        expect(min(said.values()) >= 0, f"no count is negative: {said}")
        parts = ("added", "changed", "unchanged", "rejected", "skipped", "duplicate")
        same("rows read are the sum of their outcomes", said["read"], sum(said[part] for part in parts))
        same(f"{entity} that are written", len(read.upserts[entity]), counts.added + counts.changed)
        same(f"{entity} that are removed", len(read.removals[entity]), counts.removed)
        keys = {tuple(row[k] for k in ENTITIES[entity].key) for row in read.rows[entity]}
        same(f"{entity} that are taken", len(keys), counts.added + counts.changed + counts.unchanged)
        if entity != "relationships":
            expect(
                counts.read >= read.mapped[entity],
                f"no row of {entity} is lost: {read.mapped[entity]} {said}",
            )


def _check_ids(read: _Read, contents: Contents) -> None:
    """An id is text of the file, nothing that was guessed of it."""
    texts = []
    for content in (path.read_bytes() for path in contents.paths.values()):
        codecs = ("utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
        texts += [unicodedata.normalize("NFC", content.decode(codec, errors="ignore")) for codec in codecs]
    for entity in ("students", "staff"):
        for row in read.rows[entity]:
            identifier = row["id"]
            # A quote is doubled in the file, and a line break in a cell is one of several.
            if not any(c in identifier for c in '"\r\n'):
                expect(any(identifier in text for text in texts), "an id stands in a file as it is")


def _check_both_ways(path: Path) -> None:
    """The direct way into the database and the careful one give the same table."""
    header, _ = result_or_refusal(lambda: read_header(path, display="file.csv"))
    if header is None:
        return
    expect(first_undecodable(path, header.encoding) is None, "a file is read with an encoding that fits")
    found = []
    for load in (bulk.load_part, bulk._load_carefully):
        with tempfile.TemporaryDirectory() as name, open_database(Path(name)) as db:
            parsed = read_header(path, display="file.csv")
            try:
                load(db, "t", path, parsed, Path(name))
            except ReconcilerError as error:
                found.append((error.code, error.message))
                continue
            rows = db.execute("SELECT * FROM t ORDER BY line").fetchall()
            found.append((rows, parsed.rows, len(parsed.broken), parsed.ends_with_newline))
    same("both ways to load a file", *found)


def _check_again(mapper: Mapper, contents: Contents, folder: Path, first: _Read) -> None:
    """The same files over what they made change nothing."""
    stored: Stored = {entity: {} for entity in STORED}
    for entity in STORED:
        width = len(ENTITIES[entity].key)
        stored[entity].update({row[:width]: (row[-1], True) for row in first.upserts[entity]})
    again = _read(mapper, contents, folder, stored)
    expect(not any(again.upserts.values()), f"the same files write nothing: {_few(again.upserts)}")
    expect(not any(again.removals.values()), f"the same files remove nobody: {_few(again.removals)}")
    same("the same rows are taken", again.rows, first.rows)
    codes = [
        Counter((r.entity, r.file, r.row, r.column, r.code) for r in one.rejects) for one in (first, again)
    ]
    same("the same rows are rejected", *codes)


def _few(rows: Mapping[str, list[Any]]) -> str:
    return str({entity: listed[:2] for entity, listed in rows.items() if listed})[:300]
