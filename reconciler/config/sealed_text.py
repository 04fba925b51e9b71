"""The form of a sealed secret's text, as far as it can be known without the identity that opens it."""

from __future__ import annotations

import base64
import binascii
import re

MAX_CHARACTERS = 32 * 1024
"""Of the text in a district's file; the schema says so too. A private key needs a tenth of it."""
BEGIN = "-----BEGIN AGE ENCRYPTED FILE-----"
END = "-----END AGE ENCRYPTED FILE-----"
HEADER = b"age-encryption.org/v1\n"

_SPACE = re.compile(r"\s+")


class NotSealedTextError(ValueError):
    """The text is no age ciphertext; says why, and quotes none of it."""


def ciphertext_of(text: str) -> bytes:
    """The binary age file in a text, armored or base64, whatever a YAML style did to its line breaks.

    Text around the armor is passed over: a snippet that was pasted whole is read as well as the armor
    alone. Raises NotSealedTextError.
    """
    if len(text) > MAX_CHARACTERS:
        raise NotSealedTextError(f"is longer than {MAX_CHARACTERS // 1024} KiB")
    data = _decoded(_body(text))
    if not data.startswith(HEADER):
        raise NotSealedTextError("is not an age file: its first line is another")
    return data


def _body(text: str) -> str:
    """The base64 in it, without any space."""
    _, begin, rest = text.partition(BEGIN)
    if begin:
        body, end, _ = rest.partition(END)
        if not end:
            raise NotSealedTextError("is cut off: the last line of the armor is missing")
        return _SPACE.sub("", body)
    if END in text:
        raise NotSealedTextError("is cut off: the first line of the armor is missing")
    return _SPACE.sub("", text)


def _decoded(body: str) -> bytes:
    plain = body.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise NotSealedTextError("is neither armored nor base64 text") from None
