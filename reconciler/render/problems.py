"""Findings in the repository's files: text, JSON, GitHub annotations and SARIF 2.1.0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from reconciler import __version__
from reconciler.errors import Problem
from reconciler.render.text import coloured, plural

_GITHUB = {"error": "error", "warning": "warning", "notice": "notice"}
_SARIF = {"error": "error", "warning": "warning", "notice": "note"}


def problems_json(problems: Sequence[Problem], files: int) -> dict[str, Any]:
    """The contract's shape."""
    return {"ok": is_ok(problems), "files": files, "problems": [p.to_json() for p in problems]}


def is_ok(problems: Sequence[Problem]) -> bool:
    """No problem is an error."""
    return all(p.severity != "error" for p in problems)


def problems_text(problems: Sequence[Problem], files: int) -> str:
    """`file:line:column severity [code] path: message`, each with its hint below."""
    lines = [line for problem in problems for line in problem_lines(problem)]
    errors = sum(1 for p in problems if p.severity == "error")
    others = len(problems) - errors
    verdict = "valid" if not errors else plural(errors, "error")
    more = f", {others} to look at" if others else ""
    return "\n".join([*lines, f"{plural(files, 'file')}: {verdict}{more}."])


def problem_lines(problem: Problem) -> list[str]:
    """One finding, and its hint below."""
    path = f" {problem.path}:" if problem.path else ""
    said = f"{coloured(problem.severity)} [{problem.code}]{path} {problem.message}"
    return [f"{problem.place} {said}", *([f"    → {problem.hint}"] if problem.hint else [])]


def problems_github(problems: Sequence[Problem]) -> str:
    """Workflow commands that GitHub shows beside the lines of a pull request."""
    lines = []
    for p in problems:
        place = f"file={_property(p.file)}"
        if p.line:
            place += f",line={p.line},col={max(p.column, 1)}"
        message = f"{p.path}: {p.message}" if p.path else p.message
        text = _data(f"{message}. {p.hint}" if p.hint else message)
        lines.append(f"::{_GITHUB[p.severity]} {place},title={_property(p.code)}::{text}")
    return "\n".join(lines)


def problems_sarif(problems: Sequence[Problem]) -> dict[str, Any]:
    """A SARIF log with one run; what code scanning services take."""
    codes = sorted({p.code for p in problems})
    driver = {"name": "reconciler", "version": __version__, "rules": [{"id": code} for code in codes]}
    results = [
        {
            "ruleId": p.code,
            "ruleIndex": codes.index(p.code),
            "level": _SARIF[p.severity],
            "message": {
                "text": ". ".join(filter(None, (f"{p.path}: {p.message}" if p.path else p.message, p.hint)))
            },
            "locations": [{"physicalLocation": _location(p)}],
        }
        for p in problems
    ]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _location(p: Problem) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": quote(p.file)}}
    if p.line:
        location["region"] = {"startLine": p.line, "startColumn": max(p.column, 1)}
    return location


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
