"""The headers of a new district's files: of those that can be read, whatever the others are."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from reconciler.engine.onboarding import PEEK_BYTES, read_headers
from reconciler.errors import HoldError, ReconcilerError, SftpError
from reconciler.roster.delta import RemoteFile


class Files:
    """A session whose files are at hand; an error instead of a file is raised."""

    host_key = fingerprint = ""

    def __init__(self, files: dict[str, bytes | ReconcilerError]):
        self.files = files
        self.fetched: list[str] = []

    def listing(self) -> list[RemoteFile]:
        return [RemoteFile(n, len(d) if isinstance(d, bytes) else 1, 0) for n, d in self.files.items()]

    def peek(self, path: str, file: RemoteFile, limit: int) -> bytes:
        found = self.files[file.name]
        if isinstance(found, ReconcilerError):
            raise found
        return found[:limit]

    def download(self, path: str, file: RemoteFile, to: Path) -> str:
        self.fetched.append(file.name)
        to.write_bytes(self.peek(path, file, 1 << 30))
        return ""

    def list_files(self, path: str, pattern: str) -> list[RemoteFile]:
        raise NotImplementedError

    def no_files(self, path: str, pattern: str) -> ReconcilerError:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


def zipped(**files: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.csv", text)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        pytest.param("a.csv", b"id;name\n1;x\n", {"a.csv": ("id", "name")}, id="plain"),
        pytest.param("a.csv", "id,näme\n".encode("utf-16"), {"a.csv": ("id", "näme")}, id="UTF-16"),
        pytest.param(
            "a.csv", b"id\n" + b"\xc3\xa9" * PEEK_BYTES, {"a.csv": ("id",)}, id="cut in a character"
        ),
        pytest.param("a.csv.gz", gzip.compress(b"id,name\n"), {"a.csv": ("id", "name")}, id="gzip"),
        pytest.param("a.zip", zipped(a="id\n", b="x,y\n"), {"a.csv": ("id",), "b.csv": ("x", "y")}, id="zip"),
        pytest.param("a.zip", zipped(a="", b="x,y\n"), {"b.csv": ("x", "y")}, id="a zip with an empty file"),
        pytest.param("a.csv", b"", {}, id="empty"),
        pytest.param("a.zip", b"PK no zip", {}, id="no zip"),
        pytest.param("a.csv", HoldError("changing", code="sync.file-changing"), {}, id="being uploaded"),
        pytest.param("a.csv", SftpError("refused", code="sftp.path"), {}, id="not for us"),
    ],
)
def test_the_header_of_a_file(
    tmp_path: Path, name: str, data: bytes | ReconcilerError, expected: dict[str, tuple[str, ...]]
) -> None:
    session = Files({name: data, "z.csv": b"last\n"})
    assert read_headers(session, ".", session.listing(), tmp_path) == {**expected, "z.csv": ("last",)}
    assert "z.csv" not in session.fetched, "a beginning is enough"


def test_a_lost_session_is_told(tmp_path: Path) -> None:
    session = Files({"a.csv": SftpError("lost", code="sftp.interrupted")})
    with pytest.raises(SftpError):
        read_headers(session, ".", session.listing(), tmp_path)
