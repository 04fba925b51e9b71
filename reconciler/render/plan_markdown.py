"""A plan as a comment on a pull request: sums first, a line for each district, the rest folded.

It is cut to what a comment may hold, at the end of a line or a fold, and says what is missing. Equal plans
give equal text, so that a comment that is written anew does not change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.errors import Problem, ReconcilerError
from reconciler.planning.change import Action, Change, FieldChange
from reconciler.planning.plan import Plan
from reconciler.planning.touched import Since
from reconciler.render.markdown import LIMIT, code, escaped, fold, many, row, size, table
from reconciler.render.plan import plan_sums, shown

MARKER = "<!-- reconciler:plan -->"
"""First line of the document: by it a job finds the comment that it wrote before, and edits it."""

_ORDER = (Action.RETIRE, Action.STOP, Action.UPDATE, Action.START, Action.CREATE)
"""What takes something away comes first: it is what a reviewer must not miss, and what is cut last."""
_DETAILS = ["#### Details", ""]
_COLUMNS = ("action", "district", "steps", "why")
_MAX_FIELDS = 60
_MAX_WHY = 5
_MAX_PROBLEMS = 20
_COUNTED = ("schools", "ignored_schools")


@dataclass(frozen=True, slots=True)
class Notice:
    """What stands around the plan."""

    commit: str = ""
    """The commit that was planned; empty: none is known."""
    command: str = "reconciler plan"
    """What prints the whole plan."""
    since: Since | None = None
    previews: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """District to Markdown lines on its rows, made safe by whoever wrote them; of districts without a change,
    what their next sync would do."""
    remarks: Mapping[str, str] = field(default_factory=dict)
    """District to a few words for its line, such as `would be held (sync.removals)`."""


def plan_markdown(
    plan: Plan, refused: Mapping[str, ReconcilerError], about: Notice | None = None, *, limit: int = LIMIT
) -> str:
    """The document, at most `limit` bytes of UTF-8."""
    about = about or Notice()
    head = _head(plan, refused, about.since)
    foot = _foot(plan, about)
    room = _Room(limit - size(head) - size(foot) - size([_left_out(10**9, 10**9, 10**9, about.command), ""]))
    changes = sorted(plan.changes, key=lambda c: (_ORDER.index(c.action), c.district))
    errors = sorted(refused.items())

    body = _section("#### Refused", ("district", "where", "problem"), map(_refused, errors), room.half())
    told = _rows_in(body)
    lines = _section("#### Districts", _COLUMNS, (_line(c, about) for c in changes), room)
    listed = _rows_in(lines)
    body += lines
    folds = [*map(_problems, errors), *(_fold(c, about) for c in changes), *_beside(changes, about)]
    unfolded = 0
    if any(folds) and room.take(_DETAILS):
        body += _DETAILS
    for lines in filter(None, folds):
        if room.take(lines):
            body += lines
        else:
            unfolded += 1
    said = _left_out(len(errors) - told, len(changes) - listed, unfolded, about.command)
    return "\n".join([*head, *body, *([said, ""] if said else []), *foot])


def failure_markdown(kind: str, message: str, hint: str, problems: Sequence[Problem] = ()) -> str:
    """What stands in a comment where there is no plan, because an error ended the command."""
    lines = [MARKER, "### reconciler plan: failed", "", f"{code(kind)} {code(message, limit=4000)}"]
    if problems:
        lines += ["", *(f"- {code(_place(p))} {_said(p)}" for p in problems[:_MAX_PROBLEMS])]
    return "\n".join([*lines, *(["", f"→ {code(hint, limit=2000)}"] if hint else [])])


class _Room:
    """How much may still be written."""

    def __init__(self, left: int):
        self.left = left

    def take(self, lines: Sequence[str]) -> bool:
        """Whether the lines fit; then they count as written."""
        needed = size(lines)
        if needed > self.left:
            return False
        self.left -= needed
        return True

    def half(self) -> _Room:
        """A part of this room: what is taken of it is taken of both."""
        return _Part(self)


class _Part(_Room):
    def __init__(self, whole: _Room):
        super().__init__(whole.left // 2)
        self._whole = whole

    def take(self, lines: Sequence[str]) -> bool:
        return super().take(lines) and self._whole.take(lines)


def _section(title: str, header: Sequence[str], rows: Iterable[Sequence[str]], room: _Room) -> list[str]:
    """A table under a title with as many of the rows as there is room for; nothing without a row."""
    listed = list(rows)
    lines = [title, "", *table(header, ()), ""]
    if not listed or not room.take(lines):
        return []
    fitting = []
    for cells in listed:
        line = row(cells)
        if not room.take([line]):
            break
        fitting.append(line)
    return [*lines[:-1], *fitting, ""] if fitting else []


def _rows_in(section: Sequence[str]) -> int:
    return max(0, len(section) - 5)


# -- around the plan -----------------------------------------------------------------------------------------


def _head(plan: Plan, refused: Mapping[str, ReconcilerError], since: Since | None) -> list[str]:
    lines = [MARKER, f"### reconciler plan: {plan_sums(plan, len(refused))}", ""]
    if plan.changes or refused:
        counted = {**plan.summary(), "refused": len(refused)}
        lines += [*table(list(counted), [[f"{n:,}" for n in counted.values()]]), ""]
    if since:
        lines += [_since(since), ""]
    return lines


def _since(since: Since) -> str:
    base = f"{code(since.revision, limit=80)} ({code(since.base[:12])})"
    if since.everything:
        return f"{many(since.files, 'file')} changed since {base}; {since.everything}: all are planned."
    return (
        f"Planned is what {many(since.files, 'changed file')} since {base} may alter: "
        f"{many(since.districts, 'district')}. {many(since.left_out, 'other')} left out."
    )


def _foot(plan: Plan, about: Notice) -> list[str]:
    commit = code(about.commit) if about.commit else "none"
    return [f"<sub>Commit {commit} · digest of the plan <code>{plan.digest}</code></sub>"]


def _left_out(errors: int, changes: int, folds: int, command: str) -> str:
    """A word on what was cut; empty where nothing was."""
    lines = errors + changes
    parts = [many(lines, "district")] if lines else []
    parts += [f"the details of {folds:,}"] if folds and not lines else []
    parts += [f"the details of {folds:,} in all"] if folds and lines else []
    if not parts:
        return ""
    return (
        f"**Cut to the length of a comment**: not shown here are {' and '.join(parts)}. "
        f"All of it: {code(command, limit=300)}"
    )


# -- a district ----------------------------------------------------------------------------------------------


def _line(change: Change, about: Notice) -> tuple[str, ...]:
    remark = about.remarks.get(change.district, "")
    why = _why(change) + (f"; **{escaped(remark)}**" if remark else "")
    return f"**{change.action}**", code(change.district), _steps(change), why


def _beside(changes: Sequence[Change], about: Notice) -> list[list[str]]:
    """What is said of districts that have no change."""
    others = sorted(about.previews.keys() - {c.district for c in changes})
    return [[*fold(f"{code(d)}: its next sync", about.previews[d]), ""] for d in others if about.previews[d]]


def _steps(change: Change) -> str:
    return " → ".join(str(step).replace("_", " ") for step in change.steps) or "save"


def _why(change: Change) -> str:
    if change.action is Action.CREATE:
        return change.reason or "its file is new"
    groups = Counter(_group(f.path) for f in change.fields)
    said = [escaped(change.reason)] if change.reason else []
    said += [code(path) + (f" ({n})" if path in _COUNTED else "") for path, n in groups.items()][:_MAX_WHY]
    more = len(groups) - _MAX_WHY
    return ", ".join(said) + (f" and {more} more" if more > 0 else "")


def _group(path: str) -> str:
    """The schools are counted and not listed."""
    return path.partition("[")[0] if path.startswith(_COUNTED) else path


def _fold(change: Change, about: Notice) -> list[str]:
    preview = list(about.previews.get(change.district, ()))
    if not change.fields and not preview:
        return []
    lines = _fields(change.fields, new=change.action is Action.CREATE) if change.fields else []
    left = len(change.fields) - _MAX_FIELDS
    if left > 0:
        lines.append("")
        lines.append(f"and {left:,} more: {code(f'reconciler plan --only {change.district}')}")
    lines += ["", *preview] if lines and preview else preview
    return [*fold(f"{code(change.district)}: {change.action}", lines), ""]


def _fields(fields: Sequence[FieldChange], *, new: bool) -> list[str]:
    some = fields[:_MAX_FIELDS]
    if new:
        return table(("field", "value"), ((code(f.path), _value(f.after)) for f in some))
    rows = [(code(f.path), _value(f.before), _value(f.after)) for f in some]
    if not any(f.drift for f in some):
        return table(("field", "now", "after"), rows)
    drift = (escaped(str(f.drift)) if f.drift else "–" for f in some)
    return table(("field", "now", "after", "drift"), [(*r, d) for r, d in zip(rows, drift, strict=True)])


def _value(value: object) -> str:
    return "–" if value is None else code(shown(value))


# -- a district that is refused ------------------------------------------------------------------------------


def _refused(error: tuple[str, ReconcilerError]) -> tuple[str, ...]:
    district, why = error
    problems = _problems_of(why)
    if not problems:
        return code(district), "–", f"{code(why.code)} {code(why.message)}"
    first, more = problems[0], len(problems) - 1
    said = f"{code(first.code)} {_said(first)}" + (f" and {more} more" if more else "")
    return code(district), code(_place(first)), said


def _problems(error: tuple[str, ReconcilerError]) -> list[str]:
    """Every problem of a refused district with what to do about it, folded."""
    district, why = error
    problems = _problems_of(why)
    lines = table(
        ("where", "problem", "what to do"),
        ((code(_place(p)), f"{code(p.code)} {_said(p)}", _hint(p.hint)) for p in problems[:_MAX_PROBLEMS]),
    )
    if not problems:
        lines = [f"{code(why.message, limit=2000)}", *(["", f"→ {_hint(why.hint)}"] if why.hint else [])]
    if len(problems) > _MAX_PROBLEMS:
        lines += ["", f"and {len(problems) - _MAX_PROBLEMS} more: {code('reconciler validate')}"]
    return [*fold(f"{code(district)}: refused", lines), ""]


def _problems_of(error: ReconcilerError) -> Sequence[Problem]:
    found: Sequence[Problem] = getattr(error, "problems", ())
    return found


def _place(problem: Problem) -> str:
    return f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file


def _said(problem: Problem) -> str:
    return code(f"{problem.path}: {problem.message}" if problem.path else problem.message)


def _hint(hint: str) -> str:
    return code(hint, limit=400) if hint else "–"
