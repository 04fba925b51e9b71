"""The process that is instrumented: one target under atheris, until its time is over."""

from __future__ import annotations

import importlib
import sys

import atheris

from tests.fuzz import campaign


def main() -> None:
    """`TARGET ours|libfuzzer` and libFuzzer's own arguments."""
    target, way, *arguments = sys.argv[1:]
    atheris.enabled_hooks.add("str")
    with atheris.instrument_imports(include=["reconciler", "zipfile", "gzip"], enable_loader_override=False):
        module = importlib.import_module(f"tests.fuzz.{target}")
    check = campaign.guarded(module, campaign.HOME / target / "broken")
    own = {"custom_mutator": campaign.mutator(module)} if way == "ours" else {}
    atheris.Setup([sys.argv[0], *arguments], check, **own)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
