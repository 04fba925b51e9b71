"""What a YAML parser's complaint means to the person who wrote the file.

The library's text is only looked up, never shown: formatted, it quotes the source line, secrets included.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import yaml

from reconciler.documents.node import Mark

TAG = ("tags (!name) are not used here", "remove the tag, or put the text in quotes")
_TAB = ("a tab stands in the indentation", "indent with spaces")
_QUOTE = ("a text that begins or continues like this needs quotes", "put the whole value in quotes")
_LAYOUT = ("the indentation, a quote or a bracket is wrong here or just above", "line the keys up")

_WORDS: Mapping[str, tuple[str, str]] = {
    "mapping values are not allowed in this context": (
        "a second colon stands on this line, or the line is indented wrongly",
        "put a text that holds a colon in quotes",
    ),
    "found character that cannot start any token": _QUOTE,
    "found unknown escape character": (
        "a backslash stands before a character that needs none",
        "write two backslashes, or use single quotes",
    ),
    "did not find expected hexdecimal number": ("an escape lacks its digits", "use single quotes"),
    "did not find expected key": _LAYOUT,
    "did not find expected '-' indicator": ("list items and keys are mixed", "line the items up"),
    "did not find expected node content": (
        "a value is missing here, or a bracket before it is not closed",
        "write the value, or close the bracket",
    ),
    "could not find expected ':'": ("a key has no colon after it", "write it as key: value"),
    "did not find expected <document start>": ("text follows where the document has ended", "remove it"),
    "did not find expected ',' or ']'": ("the list that opens here is not closed", "add the ]"),
    "did not find expected ',' or '}'": ("the mapping that opens here is not closed", "add the }"),
    "found unexpected end of stream": ("the quote that opens here is never closed", "close the quote"),
    "found undefined tag handle": TAG,
}
_BLAMES_THE_START = frozenset(
    {
        "did not find expected ',' or ']'",
        "did not find expected ',' or '}'",
        "found unexpected end of stream",
    }
)


def explain(error: yaml.MarkedYAMLError, text: str) -> tuple[Mark, str, str]:
    """Position, message and hint, in our own words."""
    problem = error.problem or ""
    mark = error.problem_mark or error.context_mark
    if problem in _BLAMES_THE_START and error.context_mark:
        mark = error.context_mark
    if mark is None:
        return (0, 0), "is not valid YAML", ""
    lines = text.split("\n")
    if mark.line >= len(lines):  # the parser's end of the text, a line below ours
        return (len(lines), len(lines[-1]) + 1), *_WORDS.get(problem, _LAYOUT)
    line = lines[mark.line]
    if re.match(r" *\t", line):
        return (mark.line + 1, line.index("\t") + 1), *_TAB
    message, hint = _WORDS.get(problem, _LAYOUT)
    return (mark.line + 1, mark.column + 1), message, hint
