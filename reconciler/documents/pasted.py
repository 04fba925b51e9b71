"""Finds passwords and keys that somebody pasted into a file, comments included. No finding quotes one.

Two measures. What can be nothing else (a private key, an identity of age, a token of a known form, a
password in a URL) is found anywhere. What stands after a word such as `password:` is a secret under a key of
that name, whatever it looks like; in a comment or inside a text only if it looks like one, since people write
sentences there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, pairwise

from reconciler.documents.text import MAX_FINDINGS, Lines
from reconciler.errors import Problem

CODE = "secret.literal"
_HINT = (
    "take it out and change it at its server, for git keeps it; name where the new one is, {env: NAME} say, "
    "or seal it with `reconciler seal`"
)

_WORD = (
    r"pass(?:word|wd|wort|phrase|code)|pwd|secret|token|credential|(?:api|access|private|signing)[_-]?key"
    r"|(?<![a-z])(?:pass|pw)(?=[\"']?[ \t]*[:=])"
)
_SAID = re.compile(
    rf"(?:{_WORD})s?(?P<quote>[\"']?)(?P<sign>[ \t]*[:=][ \t]*|[ \t]+(?:is|was)[ \t:]+)"
    r"(?P<fold>[|>][-+0-9]*[ \t]*\r?\n[ \t]+|\r?\n[ \t]+)?"
    r"(?:\"(?P<double>[^\"\n]{0,400})\"?|'(?P<single>[^'\n]{0,400})'?|(?P<bare>[^\s\"'][^\s]{0,400}))",
    re.IGNORECASE,
)
_ROOTS = ("pass", "pw", "secret", "token", "credential", "api", "access", "private", "signing")
"""What each alternative of _WORD begins with: looked for first, at a fraction of the time."""

_IN_URL = "a URL with a password"
_CERTAIN: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (sign, kind, re.compile(pattern))
    for sign, kind, pattern in (
        ("private key-----", "a private key", r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----"),
        ("putty-user-key", "a private key", r"PuTTY-User-Key-File-\d"),
        ("age-", "an identity of age, which opens sealed secrets,",
         r"(?i:AGE-(?:SECRET-KEY(?:-PQ)?|PLUGIN-[A-Z0-9-]{1,40})-1[0-9A-Z]{20,})"),
        ("://", _IN_URL, r"://[^\s:/@\"'<>]{0,100}:(?P<password>[^\s@\"'<>/]{1,200})@"),
        *((f"gh{c}_", "a token of GitHub", rf"\bgh{c}_[A-Za-z0-9]{{30,}}") for c in "pousr"),
        ("github_pat_", "a token of GitHub", r"\bgithub_pat_[A-Za-z0-9_]{30,}"),
        ("glpat-", "a token of GitLab", r"\bglpat-[A-Za-z0-9_-]{18,}"),
        ("akia", "a key of AWS", r"\bAKIA[0-9A-Z]{16}\b"),
        ("asia", "a key of AWS", r"\bASIA[0-9A-Z]{16}\b"),
        ("xox", "a token of Slack", r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
        *((f"hv{c}.", "a token of Vault", rf"\bhv{c}\.[A-Za-z0-9_-]{{20,}}") for c in "sbr"),
        ("sk_live_", "a key of Stripe", r"\bsk_live_[A-Za-z0-9]{16,}"),
        ("sk-", "a secret key", r"\bsk-[A-Za-z0-9_-]{20,}"),
        ("aiza", "a key of Google", r"\bAIza[0-9A-Za-z_-]{35}"),
        ("npm_", "a token of npm", r"\bnpm_[A-Za-z0-9]{30,}"),
        ("eyj", "a JSON web token", r"\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,2000}\."),
    )
)  # fmt: skip
"""What a text holds in lower case where the pattern can be in it, what it is, and the pattern."""

_KEY_BEFORE = re.compile(r"(?:^|\n|[{,]|- )[ \t]*[\"']?[\w.-]{0,60}$")
_REFERENCE = re.compile(
    r"[{\[|>#]|-$|(env|file|age|vault)(:|$)|[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$|[~.]{0,2}/|-----BEGIN AGE"
    r"|YWdlLWVuY3J5|age1|ssh-|ecdsa-|SHA256:|[\w.#/-]+:$"
)
"""What is no secret but says where one is, or is public, or begins a value of another form."""
_PLACEHOLDER = re.compile(
    r"$|(null|~|none|true|false)$|[*xX.?_#-]+$|<.*>?$|(?-i:\$[{(A-Z_])|\{\{|%\w+%|.*…|(user|pass|password|pwd|pw|secret)$",
    re.IGNORECASE,
)
_PROSE = re.compile(
    r"[\d.:/-]+$|v?\d+(\.\d+)*$|[A-Z]{2,}-\d+$|#\d+$|.*://|[\w.+-]+@[\w-]+\.[\w.-]+$|1password"
    r"|(sha|md|aes|rsa|ed|utf|base|oauth|ssh|tls|grade|fy|year)-?\d+$|\(",
    re.IGNORECASE,
)
"""What people write after `password:` in a sentence: dates, versions, tickets, addresses, products."""
_MIN_IN_PROSE = 6


def pasted_secrets(text: str, file: str) -> list[Problem]:
    """A problem for each line of `text` that holds a secret, in order; at most MAX_FINDINGS."""
    found: dict[int, tuple[int, str]] = {}
    lines: Lines | None = None
    for offset, kind in islice(_findings(text, file), MAX_FINDINGS):
        lines = lines or Lines(text)
        line, column = lines.mark(offset)
        found.setdefault(line, (column, kind))
    return [
        Problem(CODE, "error", file, line, column, "", f"{kind} stands here", _HINT)
        for line, (column, kind) in sorted(found.items())
    ]


def _findings(text: str, file: str) -> Iterator[tuple[int, str]]:
    lower = text.lower()
    for sign, kind, pattern in _CERTAIN:
        for match in pattern.finditer(text) if sign in lower else ():
            if kind is not _IN_URL or not _PLACEHOLDER.match(match["password"]):
                yield match.start(), kind
    for match in _sayings(text, lower):
        if _is_secret(text, match, file):
            yield _value(match)[1], "what looks like a password or key"


def _sayings(text: str, lower: str) -> Iterator[re.Match[str]]:
    """Every place where a word such as `password` is followed by a value."""
    if len(lower) != len(text):  # some letters of other scripts have longer small ones
        yield from _SAID.finditer(text)
        return
    for root in _ROOTS:
        at = lower.find(root)
        while at >= 0:
            match = _SAID.match(text, at)
            if match:
                yield match
            at = lower.find(root, match.end() if match else at + 1)


def _value(match: re.Match[str]) -> tuple[str, int]:
    """What is said, without its quotes, and where it begins."""
    name = next(name for name in ("double", "single", "bare") if match[name] is not None)
    return match[name], match.start(name)


def _is_secret(text: str, match: re.Match[str], file: str) -> bool:
    value, _ = _value(match)
    if value[:1] in ("!", "&", "*"):  # a tag, an anchor or an alias of YAML, or so it seems
        return _looks_random(value[1:])
    if text[match.end() : match.end() + 1] == ":":  # what follows is a key of its own
        return False
    if _REFERENCE.match(value) or _PLACEHOLDER.match(value):
        return False
    before = text[max(0, match.start() - 80) : match.start()]
    is_key = ":" in match["sign"] and _KEY_BEFORE.search(before) and "#" not in before.rpartition("\n")[2]
    if is_key and not file.endswith(".json"):
        return True
    word = value.rstrip(",.;:!?)]}\"'")
    said_of = match["sign"].strip(" \t:=") and "-" in word  # "the password is 12-character"
    return not match["fold"] and not said_of and _looks_random(word)


def _looks_random(word: str) -> bool:
    """Letters mixed with digits, or signs that no sentence has inside a word."""
    if len(word) < _MIN_IN_PROSE or " " in word or _PROSE.match(word):
        return False
    letters = any(c.isalpha() for c in word)
    digits = any(c.isdigit() for c in word)
    signs = any(c in "!@#$%^&*+=?~|\\" for c in word)
    turns = sum(a.islower() and b.isupper() for a, b in pairwise(word))
    return letters + digits + signs > 1 or (len(word) >= 10 and turns > 2)
