"""`{vault: path#key}`: the form of a reference, and whose it is: a path that has the district's id in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SEGMENT = re.compile(r"[A-Za-z0-9_@+=.-]+( [A-Za-z0-9_@+=.-]+)*")


@dataclass(frozen=True, slots=True)
class VaultReference:
    """A secret's path, as `vault kv get` takes it, and the key in it."""

    path: tuple[str, ...]
    """The mount first."""
    key: str

    def names(self, district: str) -> bool:
        """Whether one of the folders, or the secret itself, has exactly the district's id for its name."""
        return district in self.path[1:]


def vault_reference(text: str) -> VaultReference:
    """A reference from its text. Raises ValueError with what is wrong, quoting nothing.

    Steps such as `..` are refused: a path that leads elsewhere than it says would be nobody's.
    """
    path, sign, key = text.partition("#")
    if not sign or not key or "#" in key:
        raise ValueError("must be path#key, as secret/districts/oak#password")
    segments = path.strip("/").split("/")
    if len(segments) < 2 or not all(map(_is_segment, segments)):
        raise ValueError(
            "must have a path of letters, digits and -_.@+= between single slashes, the mount first"
        )
    if segments[1] == "data" and len(segments) > 2:  # as the API writes it, and `vault kv get` does not
        del segments[1]
    return VaultReference(tuple(segments), key)


def _is_segment(text: str) -> bool:
    return bool(_SEGMENT.fullmatch(text)) and text.strip(".") != ""
