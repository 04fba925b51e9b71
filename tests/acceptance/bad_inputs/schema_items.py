"""Values that a JSON Schema library lets pass, follows or chokes on (items 27 to 41)."""

from __future__ import annotations

import json
import socket

from tests.acceptance.bad_inputs.case import FILE, OAK, Build, Case, changed, content, with_more, write
from tests.acceptance.world import World

_HOST = "must be a host name or an IP address, with no port, user or scheme"
_ID = "must be lower-case letters, digits and single hyphens between them"
_PORT = "must be a whole number from 1 to 65535"


class Listener:
    """A port of this machine that nobody may come to."""

    def __init__(self, text: str):
        self._text = text

    def build(self, world: World) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/schema.json"
        write(world, FILE, self._text.replace("URL", url))
        mapper = {"$schema": url, "$ref": url, "name": "acme", "files": {}, "entities": {}}
        write(world, "mappers/acme.json", json.dumps(mapper))

    def after(self, _world: World) -> None:
        with self._socket as listening:
            try:
                listening.accept()
            except BlockingIOError:
                return
        raise AssertionError("somebody came to fetch a schema")


def _fetched(name: str, text: str, code: str, says: str, at: str) -> Case:
    listener = Listener(text)
    return Case(f"schema-27-{name}", listener.build, code, says, at, after=listener.after)


def _district(name: str, text: str) -> Case:
    build = changed("district: oak", f"district: {text}")
    return Case(f"schema-{name}", build, "config.schema", _ID, f"{FILE}:1:11")


def _port(name: str, text: str, says: str = _PORT) -> Case:
    return Case(f"schema-{name}", changed("port: 22", f"port: {text}"), "config.schema", says, f"{FILE}:6:9")


def _host(name: str, text: str) -> Case:
    build = changed("host: 127.0.0.1", f"host: {json.dumps(text, ensure_ascii=False)}")
    return Case(f"schema-41-host-{name}", build, "config.schema", _HOST, f"{FILE}:5:9")


def mapper_with(**students: object) -> Build:
    """A mapper of the repository's own, some of what it says of students replaced."""
    fields = {"id": "id", "school": "school", "first_name": "first", "last_name": "last"}
    source = {"from": "students", "fields": fields} | students
    mapper = {"name": "acme", "files": {"students": {"pattern": "students.csv"}}}
    return lambda w: write(
        w, "mappers/acme.json", json.dumps(mapper | {"entities": {"students": source}}, indent=1)
    )


_SCHOOLS_1500 = "schools:\n" + '  - {sis_id: "1", school: a}\n' * 1500
_MISSPELT = {
    "id": "id",
    "school": {"column": "school", "requried": True},
    "first_name": "f",
    "last_name": "l",
}

CASES = [
    _fetched("remote-reference-in-a-mapper", OAK, "mapper.schema", 'unknown key "$ref"', "mappers/acme.json"),
    _fetched("remote-reference-in-a-district", OAK + "$ref: URL\n", "config.schema", 'unknown key "$ref"',
             f"{FILE}:14:1"),
    _fetched("modeline-of-an-editor", "# yaml-language-server: $schema=URL\n" + OAK + "x: 1\n",
             "config.schema", 'unknown key "x"', f"{FILE}:15:1"),
    Case("schema-28-file-reference", with_more("$ref: file:///etc/hostname\n"), "config.schema",
         'unknown key "$ref"', f"{FILE}:14:1"),
    Case("schema-29-misspelt-keyword", mapper_with(fields=_MISSPELT), "mapper.schema",
         'did you mean "required"?', "mappers/acme.json:15:6"),
    _port("30-decimal-port", "22.0"),
    _port("31-true-as-a-port", "true"),
    _district("32-line-break-after-an-id", '"oak\\n"'),
    _district("33-path-as-an-id", "../../abc"),
    _district("34-arabic-digits", '"oak-٣٤"'),
    _host("35-hostname-with-a-command", "-bad host;rm"),
    Case("schema-35-hostname-that-is-half-an-address", changed("host: 127.0.0.1", 'host: "127.1"'),
         "config.schema", _HOST, f"{FILE}:5:9"),
    Case("schema-36-a-list-of-1500-equal-schools", content(OAK.replace("schools:\n", _SCHOOLS_1500)),
         "config.duplicate", "this SIS school is already mapped on line 12", f"{FILE}:13:14"),
    Case("schema-36-a-list-that-is-too-long",
         with_more(f"ignored_schools: {json.dumps([str(n) for n in range(5000)])}\n"), "config.schema",
         "has more than 2000 entries", f"{FILE}:14:18"),
    Case("schema-37-truth-as-a-key", with_more("true: x\n"), "config.syntax", "a key must be text",
         f"{FILE}:14:1"),
    Case("schema-37-number-as-a-key", with_more("12: x\n"), "config.syntax", "a key must be text",
         f"{FILE}:14:1"),
    Case("schema-38-unknown-key", changed("  port:", "  prot:"), "config.schema", 'did you mean "port"?',
         f"{FILE}:6:3"),
    # Files have no version: what a newer reconciler knows is an unknown key to an older one.
    Case("schema-39-version-of-the-file", with_more("version: 2\n"), "config.schema",
         'unknown key "version"', f"{FILE}:14:1"),
    _port("40-port-zero", "0", "must be from 1 to 65535"),
    _port("40-port-65536", "65536", "must be from 1 to 65535"),
    _port("40-port-negative", "-1", "must be from 1 to 65535"),
    _host("with-a-space", "sftp oak.example"),
    _host("with-a-user", "user@oak.example"),
    _host("with-a-command", "oak.example;reboot"),
    _host("like-an-option", "-oProxyCommand=reboot"),
    _host("in-letters-of-a-language", "münchen.example"),
    _host("with-a-dot-at-its-end", "sftp.oak.example."),
    _host("of-300-characters", "a" * 300),
    _host("with-a-zone", "fe80::1%eth0"),
    _host("with-a-port", "oak.example:22"),
    _host("with-a-scheme", "sftp://oak.example"),
]  # fmt: skip
