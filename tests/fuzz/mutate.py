"""Changes a seed as a hostile hand would, the same way each time for the same number."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

_ODD = (
    b"\0", b"\r", b"\n", b"\r\n", b"\t", b"\x1b[2J", b"\x85", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xae",
    b"\xef\xbb\xbf", b"\xff\xfe", b"\xff", b"\xed\xa0\x80", b"\xc3\xa9", b"e\xcc\x81", b"\xf0\x9f\x98\x80",
    b"\xe2\x80\x8b", b"\xc2\xa0", b'"', b"'", b"\\", b"/", b"..", b"../", b"%s", b"{0}", b"9" * 30, b"-1",
    b"1e999", b"\x1a", b"NULL", b"0042", b"<script>", b"@all", b"`", b"|", b"[", b"*", b"!", b"#", b"&a ",
    b"*a", b"?", b": ", b"- ", b",", b";", b"x" * 300, b"1" * 5000,
)  # fmt: skip
"""Bytes that have a meaning to some parser, terminal, database or forge."""

Change = Callable[[random.Random, bytearray, Sequence[bytes], Sequence[bytes]], None]


def mutated(number: int, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """The input of this number: one seed after one to eight changes."""
    chance = random.Random(number)
    data = bytearray(chance.choice(seeds))
    return changed(chance, data, seeds, words)


def changed(chance: random.Random, data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """The data after one to eight changes; of what is JSON, half of the time to its values."""
    document = _json(data) if chance.random() < 0.5 else None
    if document is not None:
        for _ in range(chance.choice((1, 1, 2, 3))):
            _change_value(chance, document, [_json(bytearray(seed)) for seed in seeds], words)
        return json.dumps(document, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 5, 8))):
        chance.choice(_CHANGES)(chance, data, seeds, words)
    return bytes(data)


def _json(data: bytearray) -> dict[str, Any] | None:
    try:
        document = json.loads(data) if data[:1] == b"{" else None
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and document else None


def _change_value(chance: random.Random, document: Any, seeds: Sequence[Any], words: Sequence[bytes]) -> None:
    """Set, take out, double or exchange one value at any depth, for one of another seed or a word."""
    holders = list(_holders(document))
    if not holders:  # all of it was taken out before
        return
    holder = chance.choice(holders)
    key = chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    others = [h for seed in seeds if seed for h in _holders(seed)] or holders
    how = chance.randrange(5)
    if how == 0:
        del holder[key]
    elif how == 1:
        word = chance.choice(words).decode("utf-8", errors="replace")
        holder[key] = chance.choice((word, word.strip('"'), [], {}, None, True, 0, "", [word.strip('"')]))
    elif how == 2 and isinstance(holder, dict):
        holder[chance.choice(words).decode("utf-8", errors="replace").strip('"')] = copy.deepcopy(holder[key])
    else:
        other = chance.choice(others)
        taken = chance.choice(list(other) if isinstance(other, dict) else range(len(other)))
        holder[taken if isinstance(holder, dict) and isinstance(taken, str) else key] = copy.deepcopy(
            other[taken]
        )


def _holders(value: Any) -> Iterator[Any]:
    """Every mapping and list that is not empty."""
    if isinstance(value, dict | list) and value:
        yield value
        for member in value.values() if isinstance(value, dict) else value:
            yield from _holders(member)


def _place(chance: random.Random, data: bytearray) -> int:
    return chance.randint(0, len(data))


def _span(chance: random.Random, data: bytearray) -> slice:
    start = _place(chance, data)
    return slice(start, start + chance.choice((1, 1, 2, 4, 8, 16, 64, 256)))


def _line(chance: random.Random, data: bytearray) -> slice:
    """One whole line, its end with it."""
    start = data.rfind(b"\n", 0, _place(chance, data)) + 1
    end = data.find(b"\n", start) + 1
    return slice(start, end or len(data))


def _insert_word(
    chance: random.Random, data: bytearray, _seeds: Sequence[bytes], words: Sequence[bytes]
) -> None:
    place = _place(chance, data)
    data[place:place] = chance.choice(words or _ODD)


def _insert_odd(
    chance: random.Random, data: bytearray, _seeds: Sequence[bytes], _words: Sequence[bytes]
) -> None:
    place = _place(chance, data)
    data[place:place] = chance.choice(_ODD)


def _overwrite(
    chance: random.Random, data: bytearray, _seeds: Sequence[bytes], words: Sequence[bytes]
) -> None:
    data[_span(chance, data)] = chance.choice([*words, *_ODD])


def _flip(chance: random.Random, data: bytearray, _seeds: Sequence[bytes], _words: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _drop(chance: random.Random, data: bytearray, _seeds: Sequence[bytes], _words: Sequence[bytes]) -> None:
    del data[_span(chance, data)]


def _drop_line(
    chance: random.Random, data: bytearray, _seeds: Sequence[bytes], _words: Sequence[bytes]
) -> None:
    del data[_line(chance, data)]


def _repeat(chance: random.Random, data: bytearray, _seeds: Sequence[bytes], _words: Sequence[bytes]) -> None:
    span = chance.choice((_span, _line))(chance, data)
    data[span] = data[span] * chance.choice((2, 2, 2, 3, 10, 50))


def _swap_lines(
    chance: random.Random, data: bytearray, _seeds: Sequence[bytes], _words: Sequence[bytes]
) -> None:
    one, other = sorted((_line(chance, data), _line(chance, data)), key=lambda s: s.start)
    if one.stop <= other.start:
        data[one.start : other.stop] = data[other] + data[one.stop : other.start] + data[one]


def _splice(chance: random.Random, data: bytearray, seeds: Sequence[bytes], _words: Sequence[bytes]) -> None:
    other = bytearray(chance.choice(seeds))
    span = chance.choice((_span, _line))(chance, other)
    place = chance.choice((_place(chance, data), _line(chance, data).start))
    data[place:place] = other[span]


def _cut(chance: random.Random, data: bytearray, _seeds: Sequence[bytes], _words: Sequence[bytes]) -> None:
    del data[_place(chance, data) :]


_CHANGES: tuple[Change, ...] = (
    _insert_word, _insert_word, _insert_odd, _overwrite, _overwrite, _flip, _drop, _drop_line, _repeat,
    _swap_lines, _splice, _cut,
)  # fmt: skip
