"""Districts as values, and the many ways in which people write one down."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

TEXT = st.text(
    st.sampled_from("abcXYZ 0189-_.:#,'\"{}[]&*!|>%@`?/\\ñé—"), min_size=1, max_size=12
).map(str.strip).filter(bool)  # fmt: skip
_ID = st.from_regex(r"[a-z0-9](-?[a-z0-9]){0,8}", fullmatch=True)
_DAY = st.dates().map(lambda d: f"{d.year:04d}-{d.month:02d}-{d.day:02d}").filter(lambda d: d > "1")
_NAME = st.sampled_from(["Oak", "St. Mary's", "no", "0042", "1e3", "A: b", "#1 School", "22:22", "~", "x #y"])


def secret() -> st.SearchStrategy[dict[str, str]]:
    """A reference, one that takes several lines among them."""
    armored = "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\nLWVu\n-----END AGE ENCRYPTED FILE-----\n"
    return st.sampled_from(
        [{"env": "SFTP_OAK_PASSWORD"}, {"file": "oak: key"}, {"age": armored}, {"age": "YWdl" * 40}]
    )


@st.composite
def districts(draw: st.DrawFn) -> dict[str, Any]:
    """What a valid file may say, as plain values."""
    ids = draw(st.lists(TEXT, unique=True, max_size=5))
    cut = draw(st.integers(0, len(ids)))
    sftp = {
        "host": "sftp.oak.example",
        "username": draw(_NAME | TEXT),
        draw(st.sampled_from(["password", "private_key"])): draw(secret()),
    }
    sync = {"state": "stopped", "pause": [{"from": (day := draw(_DAY)), "until": day}], "settle_minutes": 2.5}
    return {
        "district": "oak",
        "name": draw(_NAME),
        "account": draw(st.sampled_from(["104592", "a-1", "0042", "1e3"])),
        "sftp": {**sftp, **draw(st.sampled_from([{}, {"port": 2222}, {"file_pattern": "*.csv"}]))},
        "mapper": draw(_ID),
        **({"schools": [_school(draw, i) for i in ids[:cut]]} if draw(st.booleans()) else {}),
        **({"ignored_schools": ids[cut:]} if draw(st.booleans()) else {}),
        **({"sync": sync} if draw(st.booleans()) else {}),
    }


def _school(draw: st.DrawFn, sis_id: str) -> dict[str, str]:
    name = {"name": draw(_NAME | TEXT)} if draw(st.booleans()) else {}
    return {"sis_id": sis_id, "school": draw(_NAME | TEXT), **name}


class Hand:
    """Writes values as YAML, each time another way: order, indents, quotes, braces, comments, empty lines."""

    def __init__(self, draw: st.DrawFn):
        self._draw = draw
        self.comments: list[str] = []

    def write(self, document: dict[str, Any]) -> str:
        head = "# yaml-language-server: $schema=x.json\n" if self._maybe() else ""
        self.comments += [head.strip()] if head else []
        return (
            head
            + "".join(self._mapping(document, 0))
            + self._above(0)
            + ("\n" * self._draw(st.integers(0, 2)))
        )

    def _maybe(self) -> bool:
        return self._draw(st.booleans())

    def _comment(self) -> str:
        text = f"# {len(self.comments)}: it's {{a}} 'note'"
        self.comments.append(text)
        return text

    def _above(self, indent: int) -> str:
        kind = self._draw(st.sampled_from(["", "", "", "\n", "#", "\n#", "deep"]))
        if not kind or kind == "\n":
            return kind
        deep = 3 if kind == "deep" else 0
        return ("\n" if kind == "\n#" else "") + " " * (indent + deep) + self._comment() + "\n"

    def _beside(self) -> str:
        return (
            f"{' ' * self._draw(st.integers(1, 9))}{self._comment()}"
            if self._draw(st.integers(0, 4)) == 0
            else ""
        )

    def _mapping(self, value: dict[str, Any], indent: int) -> list[str]:
        lines = []
        for key in self._draw(st.permutations(list(value))):
            lines.append(self._above(indent))
            lines.append(f"{' ' * indent}{key}:{self._value(value[key], indent, key)}")
        return lines

    def _value(self, value: Any, indent: int, key: str) -> str:
        """What follows a colon, up to and with the end of the line."""
        if not isinstance(value, dict | list):
            return f" {self._scalar(value, key)}{self._beside()}\n"
        if not value or self._maybe():
            return f" {self._braces(value, key)}{self._beside()}\n"
        deeper = indent + self._draw(st.integers(1, 4))
        if isinstance(value, dict):
            return self._beside() + "\n" + "".join(self._mapping(value, deeper))
        return self._beside() + "\n" + self._items(value, self._draw(st.sampled_from([indent, deeper])), key)

    def _items(self, items: list[Any], indent: int, key: str) -> str:
        text = ""
        for item in items:
            text += self._above(indent)
            if not isinstance(item, dict) or self._maybe():
                text += f"{' ' * indent}-{self._value(item, indent, key) if not isinstance(item, dict) else ' ' + self._braces(item, key) + self._beside() + chr(10)}"  # noqa: E501
                continue
            body = "".join(self._mapping(item, indent + 2)).lstrip("\n")
            first = body.lstrip()
            text += f"{' ' * indent}-\n{body}" if first.startswith("#") else f"{' ' * indent}- {first}"
        return text

    def _braces(self, value: Any, key: str) -> str:
        if isinstance(value, dict):
            parts = [
                f"{k}: {self._braces(v, k)}" for k, v in self._draw(st.permutations(list(value.items())))
            ]
            return "{" + self._joined(parts) + "}"
        if isinstance(value, list):
            return "[" + self._joined([self._braces(v, key) for v in value]) + "]"
        return self._scalar(value, key)

    def _joined(self, parts: list[str]) -> str:
        text = ""
        for number, part in enumerate(parts):
            comma = "," if number < len(parts) - 1 else ""
            gap = self._draw(st.sampled_from([" ", "\n      ", "#"]))
            text += part + comma + (f" {self._comment()}\n      " if gap == "#" else gap)
        return text

    def _scalar(self, value: Any, key: str) -> str:
        if not isinstance(value, str):
            return json.dumps(value)
        if key in ("from", "until") and self._maybe():
            return value
        if "\n" not in value and "'" not in value and self._maybe():
            return f"'{value}'"
        return json.dumps(value, ensure_ascii=False)
