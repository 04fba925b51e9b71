"""YAML that other readers take silently for something else, or that brings them down (items 1 to 26)."""

from __future__ import annotations

import os

from tests.acceptance.bad_inputs.case import FILE, OAK, Build, Case, both, changed, content, with_more, write
from tests.acceptance.world import World

_QUOTES = "in quotes: without them YAML reads"
_BOMB = "a: &a [x]\n" + "".join(f"{c}: &{c} [{'*a,' * 9}]\n" for c in "bcdefg")


def sis_id(text: str) -> Build:
    """A SIS school's id without quotes."""
    return changed('"0042"', text)


def _id(name: str, number: int, text: str, reading: str) -> Case:
    says = f'write "{text}" {_QUOTES} {reading}'
    return Case(f"yaml-{number:02}-{name}", sis_id(text), "config.schema", says, f"{FILE}:12:13")


def _password(name: str, text: str, code: str, says: str, column: int = 13) -> Case:
    build = changed("{env: SFTP_OAK_PASSWORD}", text)
    return Case(f"yaml-18-password-{name}", build, code, says, f"{FILE}:8:{column}")


def _syntax(item: str, build: Build, says: str, at: str = "") -> Case:
    return Case(f"yaml-{item}", build, "config.syntax", says, f"{FILE}:{at}" if at else FILE)


def _renamed(name: str) -> Build:
    def build(world: World) -> None:
        (world.root / "districts" / name).write_text(OAK)

    return build


def _linked(target: str) -> Build:
    return lambda world: (world.root / FILE).symlink_to(target)


def _nothing_was_run(world: World) -> None:
    assert not (world.root / "ran").exists()


CASES = [
    Case(
        "yaml-01-key-twice", changed("  port: 22\n", "  port: 22\n  port: 2222\n"), "config.duplicate",
        'the key "port" is written twice: first on line 6', f"{FILE}:7:3",
    ),
    _id("octal-id", 2, "0123456", "the number 42798"),
    _id("id-with-leading-zero", 2, "0899", "a number"),
    _id("small-octal-id", 2, "007", "the number 7"),
    Case("yaml-03-sexagesimal-port", changed("port: 22", "port: 22:22"), "config.schema",
         "must be a whole number from 1 to 65535", f"{FILE}:6:9"),
    _id("underscore-in-an-id", 4, "1_000", "the number 1000"),
    _id("hexadecimal-id", 4, "0x1F", "the number 31"),
    _id("binary-id", 4, "0b11", "the number 3"),
    Case("yaml-05-no-as-a-state", with_more("sync:\n  state: NO\n"), "config.schema",
         f'write "NO" {_QUOTES} false', f"{FILE}:15:10"),
    _syntax("05-on-as-a-key", with_more("on: yes\n"), "put the key in quotes", "14:1"),
    _id("exponent-id", 6, "1e5", "a number"),
    _id("decimal-id", 6, "1.10", "the number 1.1"),
    Case("yaml-07-null", changed("name: Oak", "name: null"), "config.schema",
         f'write "null" {_QUOTES} no value at all', f"{FILE}:2:7"),
    Case("yaml-07-tilde", changed("name: Oak", "name: ~"), "config.schema", "no value at all", f"{FILE}:2:7"),
    Case("yaml-07-nothing", changed("name: Oak", "name:"), "config.schema",
         "is empty: text is expected", f"{FILE}:2:6"),
    Case("yaml-08-no-such-day", with_more("sync:\n  pause: [{from: 2024-02-30, until: 2024-03-01}]\n"),
         "config.schema", "must be a day that exists, as YYYY-MM-DD", f"{FILE}:15:18"),
    Case("yaml-08-no-such-day-as-text", changed("name: Oak", "name: 2024-02-30"), "config.schema",
         'write "2024-02-30" in quotes', f"{FILE}:2:7"),
    Case("yaml-09-number-of-5000-digits", changed("port: 22", "port: " + "9" * 5000), "config.schema",
         "must be a whole number", f"{FILE}:6:9"),
    Case("yaml-09-id-of-5000-digits", sis_id("9" * 5000), "config.schema", "must be text", f"{FILE}:12:13"),
    _syntax("10-nested-2000-deep", content("[" * 2000), "nested deeper than 20 levels", "1:21"),
    _syntax("11-nested-25000-deep", content("[" * 25_000), "nested deeper than 20 levels", "1:21"),
    _syntax("12-billion-laughs", content(_BOMB), "anchors (&name) are not used here", "1:4"),
    _syntax("13-list-that-holds-itself", content("a: &a [*a]\n"), "aliases (*name) are not used", "1:8"),
    _syntax("14-merge-key", with_more("<<: {name: x}\n"), "merge keys (<<) are not used here", "14:1"),
    _syntax("14-merge-bomb", content(_BOMB + "h:\n  <<: *g\n"), "anchors (&name)", "2:4"),
    Case("yaml-15-tag-that-runs-a-command",
         changed("name: Oak", 'name: !!python/object/apply:os.system ["touch ran"]'), "config.syntax",
         "tags (!name) are not used here", f"{FILE}:2:7", after=_nothing_was_run),
    _syntax("15-unknown-tag", changed("name: Oak", "name: !Ref x"), "tags (!name)", "2:7"),
    _syntax("16-hidden-line-separator", changed("name: Oak", "name: Oak\u2028port: 2222"),
            "U+2028 LINE SEPARATOR is not allowed", "2:10"),
    _syntax("16-paragraph-separator", changed("name: Oak", "name: Oak\u2029port: 2222"), "U+2029", "2:10"),
    _syntax("16-next-line", changed("name: Oak", "name: Oak\u0085port: 2222"), "U+0085 NEXT LINE", "2:10"),
    Case("yaml-17-look-alike-key", changed("  host: ", "  h\u043est: "), "config.schema",
         "U+043E CYRILLIC SMALL LETTER O", f"{FILE}:5:3"),
    _syntax("17-zero-width-key", changed("  host: ", "  ho\u200bst: "), "U+200B ZERO WIDTH SPACE", "5:5"),
    _password("plain", "hunter2-canary", "config.schema", "a password is never written here"),
    _password("cut-at-a-hash", "canary#d #e", "config.schema", "a password is never written here"),
    _password("like-an-anchor", "&canary", "config.syntax", "anchors (&name)"),
    _password("like-an-alias", "*canary", "config.syntax", "aliases (*name)"),
    _password("like-a-tag", "!canary", "config.syntax", "tags (!name)"),
    _password("with-a-colon", "canary: 7", "config.syntax", "a second colon", 19),
    _password("like-a-mapping", "{canary-7}", "config.schema", "must name one place"),
    _syntax("19-nul", content(OAK.replace("Oak", "O\0ak")), "U+0000 NULL", "2:8"),
    _syntax("19-latin-1", content(OAK.replace("Oak", "Orée").encode("latin-1")), "is not UTF-8", "2:9"),
    _syntax("19-utf-16", content(OAK.encode("utf-16")), "is UTF-16"),
    Case("yaml-19-byte-order-mark-is-accepted", content(b"\xef\xbb\xbf" + OAK.encode()), "", "", exit=0),
    _syntax("20-two-documents", content(OAK + "---\n" + OAK), "a second document begins here", "14:1"),
    _syntax("20-empty", content(""), "is empty"),
    _syntax("20-comments-only", content("# to do\n"), "holds nothing but comments"),
    _syntax("20-one-value", content("oak\n"), "holds one bare value", "1:1"),
    Case("yaml-20-a-list", content("- oak\n"), "config.schema", "must be a mapping", f"{FILE}:1:1"),
    _syntax("21-tab", changed("  port", "\tport"), "a tab stands in the indentation", "6:1"),
    _syntax("22-ten-megabytes", content(b"a" * 10_000_000), "is larger than 256 KiB"),
    Case("yaml-23-key-with-a-space", changed("  port:", '  "port ":'), "config.schema",
         'unknown key "port "', f"{FILE}:6:3"),
    _syntax("24-pipe", lambda world: os.mkfifo(world.root / FILE), "is not a regular file"),
    _syntax("24-folder", lambda world: (world.root / FILE).mkdir(), "is a folder, not a file"),
    _syntax("24-link-out-of-the-repository", _linked("/etc/hostname"), "leads out of the repository"),
    _syntax("24-link-to-itself", _linked("oak.yaml"), "cannot be read"),
    Case("yaml-24-yml", _renamed("oak.yml"), "config.syntax", "rename it to oak.yaml", "districts/oak.yml"),
    Case("yaml-24-capital-ending", _renamed("oak.YAML"), "config.syntax", "the ending must be .yaml",
         "districts/oak.YAML"),
    Case("yaml-24-hidden-file-is-passed-over", _renamed(".oak.yaml"), "", "", exit=0),
    Case("yaml-24-editor-copy-is-passed-over", _renamed("oak.yaml~"), "", "", exit=0),
    Case("yaml-24-names-that-differ-in-case", both(content(OAK), _renamed("Oak.yaml")), "config.reference",
         "the file is named Oak.yaml, and its district is another", "districts/Oak.yaml:1:11"),
    Case("yaml-25-two-files-of-one-district",
         both(content(OAK), lambda world: write(world, "districts/tx/oak.yaml", OAK)), "config.duplicate",
         "another file has this district's id: districts/tx/oak.yaml", f"{FILE}:1:11"),
    _syntax("26-merge-conflict",
            changed("name: Oak", "<<<<<<< HEAD\nname: Oak\n=======\nname: Elm\n>>>>>>> other"),
            "this file has an unresolved merge conflict", "2:1"),
]  # fmt: skip
