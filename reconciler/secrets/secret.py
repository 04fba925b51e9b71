"""A secret value that shows itself only when asked by name."""

from __future__ import annotations

from typing import NoReturn

MASK = "***"


class Secret:
    """Text that prints as `***`. `reveal()` is the only way to it; it cannot be pickled or formatted out."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, to be handed to the server it is for and kept nowhere."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written down")
