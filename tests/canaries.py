"""Nothing of a secret or of a person leaves: searched for after every run of the program, in every test.

What a run may know of is collected before it: the secrets in its environment, and the personal cells of the
CSV files that its servers or arguments show it. Afterwards its standard output and error, the files that it
wrote, and (with `pytest --canaries`) its log at level debug, its temporary folders and its database are
searched for them, as they are and in the forms that programs turn texts into.

A cell counts as personal by its column. Of ordinary data only what is long enough to be no word of a report
is looked for, and only as a whole; a text with CANARY in it is looked for wherever it stands.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import sqlalchemy as sa

import reconciler.cli.main as program
from reconciler.mapping.entities import ENTITIES

PRINTS_PEOPLE: Mapping[str, str] = {
    "export": "the contract: prints the active rows, as stored",
    "map": "the contract: prints the rows that a mapper makes of local files",
}
"""Commands whose standard output is personal data, each with the reason. No other place is let off."""

ROSTER = {"student", "contact", "relationship", "staff", "source_file"}
"""The tables that hold people because that is what they are for; every other one is searched."""

_PERSONAL = re.compile(
    r"name|given|family|middle|birth|dob|phone|mobile|cell|mail|address|street|note|comment|sms|photo",
    re.IGNORECASE,
)
_NOT_PERSONAL = re.compile(
    r"school|file|user_?name|course|org|title|district|class|domain|property", re.IGNORECASE
)
_OF_TESTS = ("pytest-of-", "reconciler-pg-", "reconciler-tests-")
"""In the folder for temporary files, what belongs to the tests themselves."""
_PER_FILE = 600
_IN_EVERY_FORM = 20
"""Of a file so many cells are also looked for in base64, in hex and as a URL has them."""


@dataclass
class Guard:
    """What the tests of this process know of, and whether they look everywhere."""

    everywhere: bool = False
    folders: list[Path] = field(default_factory=list)
    """Folders whose CSV files the program may come to see."""
    runs: int = 0

    def watch(self, folder: Path) -> None:
        self.folders.append(folder)

    def forget(self, folder: Path) -> None:
        self.folders.remove(folder)
        _SEEN.pop(folder, None)


GUARD = Guard()
_SEEN: dict[Path, dict[tuple[str, int, int], list[str]]] = {}


_FIELDS = [f for entity in ENTITIES.values() for f in entity.fields]


class LeakError(AssertionError):
    """Something personal, or a secret, was found where none may be."""


# -- what to look for ----------------------------------------------------------------------------------------


def secrets_in(environment: Mapping[str, str]) -> set[str]:
    """The secrets that a run with this environment can get hold of."""
    found = {v for n, v in environment.items() if n.startswith("SFTP_") or n == "VAULT_TOKEN"}
    found |= set(environment.get("RECONCILER_AGE_IDENTITY", "").split())
    with suppress(Exception):
        found.add(sa.make_url(environment["RECONCILER_DATABASE_URL"]).password or "")
    folder = environment.get("RECONCILER_SECRETS_DIR")
    for path in Path(folder).glob("*") if folder else ():
        with suppress(OSError, UnicodeDecodeError):
            found.add(path.read_text(encoding="utf-8").strip())
    pieces = {line for secret in found for line in secret.splitlines() if "-----" not in line}
    return {secret for secret in pieces if len(secret) >= 6 and not secret.isalpha()}


def cells_in(folder: Path) -> list[str]:
    """The personal cells of all CSV files that were ever seen under a folder."""
    seen = _SEEN.setdefault(folder, {})
    for path in sorted(_below(folder)):
        with suppress(OSError):
            status = path.stat()
            if path.suffix.lower() in {".csv", ".txt", ".tsv"} and path.is_file():
                key = (str(path), status.st_mtime_ns, status.st_size)
                if key not in seen and status.st_size < 20_000_000:
                    seen[key] = list(dict.fromkeys(_cells(path)))[:_PER_FILE]
    return [cell for cells in seen.values() for cell in cells]


def _below(folder: Path) -> Iterator[Path]:
    """Every file under a folder; of one that goes meanwhile, what is still there."""
    for parent, _, names in os.walk(folder):
        yield from (Path(parent) / name for name in names)


def _cells(path: Path) -> Iterator[str]:
    text = _decoded(path.read_bytes())
    first = text.lstrip("\ufeff").split("\n", 1)[0]
    delimiter = max(",\t;|", key=first.count)
    about_people = not _NOT_PERSONAL.search(path.stem)
    with suppress(csv.Error, StopIteration):
        rows = csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=delimiter)
        header = next(rows)
        personal = {i for i, c in enumerate(header) if _PERSONAL.search(c) and not _NOT_PERSONAL.search(c)}
        for row in (header, *rows):
            for place, cell in enumerate(map(str.strip, row)):
                if is_canary(cell) or (
                    about_people and row is not header and place in personal and _is_telling(cell)
                ):
                    yield cell


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8-sig", "utf-16"):
        with suppress(UnicodeDecodeError):
            return data.decode(encoding)
    return data.decode("cp1252", "replace")


def is_canary(text: str) -> bool:
    return "canary" in text.lower()


def _is_telling(cell: str) -> bool:
    """Whether a cell that stands in a report can only have come from a file."""
    digits = sum(c.isdigit() for c in cell)
    return len(cell) >= 6 and (digits >= 7 or bool(re.search(r"[^\W\d_]{2}", cell)))


@lru_cache(maxsize=20_000)
def forms(text: str, *, every: bool = True) -> frozenset[str]:
    """A text as it is, and as programs write it: escaped, encoded, in hex; all in lower case."""
    plain = {text, repr(text)[1:-1], json.dumps(text)[1:-1]}
    if every:
        raw = text.encode()
        plain |= {urllib.parse.quote(text), urllib.parse.quote(text, safe=""), urllib.parse.quote_plus(text)}
        plain |= {raw.hex(), *_in_base64(raw)}
    return frozenset(form.lower() for form in plain)


def _in_base64(raw: bytes) -> Iterator[str]:
    """The part of it that is the same wherever in a longer text the bytes begin."""
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            whole = encode(b"\0" * offset + raw).decode().rstrip("=")
            inner = whole[0 if not offset else 4 : len(whole) - 1]
            if len(inner) >= 8:
                yield inner


# -- where to look -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """What one run must not let out."""

    secrets: Collection[str]
    cells: Collection[str]
    harmless: str = ""
    """Text that people may see, in lower case: what stands in it is no one's data."""

    def search(self, text: str, where: str, *, people: bool = True) -> None:
        """Raises LeakError, with the place."""
        said = text.lower()
        for secret in self.secrets:
            for form in forms(secret):
                if form in said and form not in self.harmless:
                    raise LeakError(_found("a secret", where, said, form))
        for number, cell in enumerate(self.cells if people else ()):
            for form in forms(cell, every=is_canary(cell) or number < _IN_EVERY_FORM):
                if form in said and form not in self.harmless and _stands_alone(form, cell, said):
                    raise LeakError(_found(f"the cell {cell!r}", where, said, form))


def _stands_alone(form: str, cell: str, said: str) -> bool:
    if is_canary(cell):
        return True
    return bool(re.search(rf"(?<![^\W_]){re.escape(form)}(?![^\W_])", said))


def _found(what: str, where: str, said: str, form: str) -> str:
    at = said.index(form)
    return f"{what} is in {where}: …{said[max(0, at - 60) : at]}[[{form}]]{said[at + len(form) :][:60]}…"


def known_of(arguments: Sequence[str], environment: Mapping[str, str]) -> Known:
    """What a run with these arguments and this environment can get hold of."""
    folders = [*GUARD.folders, *(Path(a) for a in arguments if _is_folder_of_rosters(a))]
    cells = dict.fromkeys(cell for folder in folders for cell in cells_in(folder))
    root = _after("-C", arguments)
    return Known(secrets_in(environment), list(cells), _harmless(Path(root)) if root else "")


def _is_folder_of_rosters(argument: str) -> bool:
    with suppress(OSError):
        return any(Path(argument).glob("*.csv")) if Path(argument).is_dir() else False
    return False


def _harmless(root: Path) -> str:
    """The configuration: it is in git, and reports quote it."""
    found = []
    for path in (*root.glob("*.yaml"), *root.glob("districts/**/*.yaml"), *root.glob("mappers/*")):
        with suppress(OSError):
            if path.is_file() and path.stat().st_size < 100_000:  # a pipe would never end
                found.append(path.read_bytes().decode("utf-8", "replace").lower())
    return "\n".join([*found, *_FIELDS])


def _after(option: str, arguments: Sequence[str]) -> str:
    return next((b for a, b in pairwise((*arguments, "")) if a == option), "")


def search_files(known: Known, arguments: Sequence[str]) -> None:
    """The files that the run was told to write, and all of its repository but the database."""
    for option in ("--out", "--rejects"):
        path = Path(_after(option, arguments) or os.devnull)
        with suppress(OSError):  # a name that is too long is no file
            if not path.is_file():
                continue
            known.search(path.read_bytes().decode("utf-8", "replace"), f"{option} {path.name}")


def search_folder(known: Known, folder: Path, what: str) -> None:
    """Every file under a folder, whatever it is."""
    for path in (folder, *_below(folder)):
        with suppress(OSError):  # it may go meanwhile
            if path.is_file():
                known.search(path.read_bytes().decode("latin-1"), f"{what} {path}")


def search_database(known: Known, url: str) -> None:
    """Every row of every table: for secrets, and but for the roster's for people."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(str(parsed.database)).is_file():
        return
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = sa.create_engine(parsed, poolclass=sa.NullPool)
    with suppress(sa.exc.SQLAlchemyError), engine.connect() as connection:
        for table in sa.inspect(connection).get_table_names():
            for row in connection.execute(sa.text(f'SELECT * FROM "{table}"')):
                known.search(repr(tuple(row)), f"the table {table}", people=table not in ROSTER)
    engine.dispose()


# -- every run -----------------------------------------------------------------------------------------------


class _Heard:
    """A stream that is written to as before, and remembered."""

    def __init__(self, stream: Any):
        self._stream = stream
        self.text = io.StringIO()

    def write(self, text: str) -> Any:
        if isinstance(text, str) and self.text.tell() < 5_000_000:
            self.text.write(text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


_run, _set_up_logging = program.run, program.set_up_logging
_LOG = io.StringIO()


def run(arguments: Sequence[str]) -> int:
    """`reconciler.cli.main.run`, and the search afterwards."""
    known = known_of(arguments, os.environ)
    GUARD.runs += 1
    out, err = _Heard(sys.stdout), _Heard(sys.stderr)
    _LOG.seek(0)
    _LOG.truncate()
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = out, err  # type: ignore[assignment]
    try:
        return _run(arguments)
    finally:
        sys.stdout, sys.stderr = before
        _search_run(known, arguments, out.text.getvalue(), err.text.getvalue())


def _search_run(known: Known, arguments: Sequence[str], out: str, err: str) -> None:
    known.search(out, f"the standard output of {_shown(arguments)}", people=not _prints_people(arguments))
    known.search(err, f"the standard error of {_shown(arguments)}")
    search_files(known, arguments)
    if GUARD.everywhere:
        known.search(_LOG.getvalue(), f"the log of {_shown(arguments)}")
        for entry in Path(tempfile.gettempdir()).iterdir():
            if not entry.name.startswith(_OF_TESTS):
                search_folder(known, entry, "a temporary folder:")
        url = _after("--database-url", arguments) or os.environ.get("RECONCILER_DATABASE_URL", "")
        if url:
            search_database(known, url)


def _shown(arguments: Iterable[str]) -> str:
    return f"`{' '.join(arguments)}`"


def _prints_people(arguments: Sequence[str]) -> bool:
    return any(a in PRINTS_PEOPLE for a in arguments)


def set_up_logging(level: str, form: str) -> None:
    """As the program has it; and all from debug on into memory, as text and as JSON by turns."""
    ours = logging.getLogger("reconciler")
    with _replaced_stderr():
        _set_up_logging("debug", ("text", "json")[GUARD.runs % 2])
    kept = ours.handlers[0]
    _set_up_logging(level, form)
    ours.handlers[0].setLevel(ours.level)
    ours.addHandler(kept)
    ours.setLevel(logging.DEBUG)


class _replaced_stderr:  # noqa: N801 – a context
    def __enter__(self) -> None:
        self._before, sys.stderr = sys.stderr, _LOG

    def __exit__(self, *_: object) -> None:
        sys.stderr = self._before


class Process(subprocess.Popen[Any]):
    """A process; where it is the program, it logs at debug and its output is searched."""

    def __init__(self, args: Any, *more: Any, **options: Any):
        self._known: Known | None = None
        if _is_program(args):
            args = _debugging(list(args)) if GUARD.everywhere else args
            self._known = known_of(list(map(str, args)), options.get("env") or os.environ)
        super().__init__(args, *more, **options)

    def communicate(self, *given: Any, **more: Any) -> Any:
        streams = super().communicate(*given, **more)
        for name, said in zip(("output", "error"), streams, strict=True):
            if self._known and said:
                text = said if isinstance(said, str) else said.decode("utf-8", "replace")
                people = name == "error" or not _prints_people(list(map(str, self.args)))
                self._known.search(text, f"the standard {name} of {self.args}", people=people)
        return streams


def _is_program(args: Any) -> bool:
    if isinstance(args, str) or not isinstance(args, Sequence):
        return False
    words = list(map(str, args))
    as_module = words[0] == sys.executable and ("reconciler" in words[1:6] or "-C" in words)
    return as_module or words[0].endswith("/reconciler")


def _debugging(words: list[Any]) -> list[Any]:
    at = words.index("-C") if "-C" in words else len(words)
    GUARD.runs += 1
    return [
        *words[:at],
        "--log-level",
        "debug",
        "--log-format",
        ("text", "json")[GUARD.runs % 2],
        *words[at:],
    ]


def install(*, everywhere: bool) -> None:
    """Put the search around the program, before any test module takes hold of it."""
    GUARD.everywhere = everywhere
    program.run = run
    subprocess.Popen = Process  # type: ignore[misc]
    if everywhere:
        program.set_up_logging = set_up_logging
        folder = tempfile.mkdtemp(prefix="canaries-")
        tempfile.tempdir = os.environ["TMPDIR"] = folder
