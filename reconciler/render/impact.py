"""What a mapper's change does, as text and as Markdown: what is said of several districts is said once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.mapping.effect import Effect
from reconciler.planning.impact import DistrictImpact, Impact, Verdict
from reconciler.render.markdown import LIMIT, code, fold, many, row, size, table
from reconciler.render.text import coloured, printable

MARKER = "<!-- reconciler:impact -->"
_COLOURS = {
    Verdict.FAILS: "failed", Verdict.REKEYS: "failed", Verdict.CHANGES: "warning",
    Verdict.UNKNOWN: "warning", Verdict.NONE: "succeeded",
}  # fmt: skip
_MAX_NAMES = 10
_MAX_EFFECTS = 30

Said = tuple[Verdict, tuple[Effect, ...], tuple[str, ...], str]


def impact_text(impact: Impact) -> str:
    """Every verdict with its reasons, and the sums."""
    lines: list[str] = []
    for (verdict, effects, holds, reason), names in _groups(impact):
        head = coloured(_COLOURS[verdict], f"{verdict!s:<12}")
        lines.append(f"{head}  {printable(_listed(impact, verdict, names))}")
        lines += [f"    {printable(line)}" for line in _reasons(effects, holds, reason)]
    return "\n".join([*lines, *([""] if lines else []), impact_summary(impact)])


def impact_summary(impact: Impact) -> str:
    """The sums in one line."""
    return f"{printable(impact.mapper)}: {_sums(impact)}."


def impact_markdown(impact: Impact, *, limit: int = LIMIT) -> str:
    """As a comment on a pull request: sums, a line for each group of districts, the reasons folded."""
    lines = [MARKER, f"### Impact of the mapper {code(impact.mapper)}: {_sums(impact)}", ""]
    groups = list(_groups(impact))
    room = limit - size(lines) - 400
    if groups:
        lines += table(("verdict", "districts", "students"), ())
    shown = 0
    for (verdict, *_), names in groups:
        line = row((f"**{verdict}**", _coded(names), f"{_students(impact, names):,}"))
        if size(lines) + size([line]) > room:
            break
        lines.append(line)
        shown += 1
    lines.append("")
    folded = 0
    reasons = [(said, names) for said, names in groups if said[0] is not Verdict.NONE]
    for (verdict, effects, holds, reason), names in reasons:
        told = [f"- {_inline(line)}" for line in _reasons(effects, holds, reason)]
        block = [*fold(f"{verdict}: {_coded(names)}", told), ""]
        if size(lines) + size(block) <= room:
            lines += block
            folded += 1
    left = (len(groups) - shown) + (len(reasons) - folded)
    if left:
        command = f"reconciler plan --impact {impact.mapper}"
        lines += [f"**Cut to the length of a comment.** All of it: {code(command)}", ""]
    return "\n".join(lines).rstrip("\n")


def _sums(impact: Impact) -> str:
    if not impact.districts:
        return "no district uses it"
    said = [f"{n:,} {verdict}" for verdict, n in impact.summary().items() if n]
    verb = "uses" if len(impact.districts) == 1 else "use"
    return f"{many(len(impact.districts), 'district')} {verb} it: {', '.join(said)}"


def _groups(impact: Impact) -> Iterator[tuple[Said, list[str]]]:
    """Districts of which the same is said, in the order of the first of each."""

    def said(d: DistrictImpact) -> Said:
        return d.verdict, d.effects, d.holds, d.reason

    together: dict[Said, list[str]] = {}
    for district in impact.districts:
        together.setdefault(said(district), []).append(district.district)
    yield from together.items()


def _listed(impact: Impact, verdict: Verdict, names: Sequence[str]) -> str:
    """The first districts, with the rows that are at stake, and how many more there are."""
    wanted, more = names[:_MAX_NAMES], len(names) - _MAX_NAMES
    said = list(wanted)
    if verdict is not Verdict.NONE:
        rows = {d.district: d.rows.get("students", 0) for d in impact.districts}
        said = [f"{name} ({many(rows[name], 'student')})" if rows[name] else name for name in wanted]
    return ", ".join(said) + (f" and {more:,} more" if more > 0 else "")


def _coded(names: Sequence[str]) -> str:
    more = len(names) - _MAX_NAMES
    return ", ".join(map(code, names[:_MAX_NAMES])) + (f" and {more:,} more" if more > 0 else "")


def _inline(line: str) -> str:
    return code(line, limit=600)


def _students(impact: Impact, names: Sequence[str]) -> int:
    wanted = set(names)
    return sum(d.rows.get("students", 0) for d in impact.districts if d.district in wanted)


def _reasons(effects: Sequence[Effect], holds: Sequence[str], reason: str) -> Iterator[str]:
    """A line for each thing that is to be said, limits last."""
    if reason:
        yield reason
    for effect in effects[:_MAX_EFFECTS]:
        head = f"{effect.code}: " if effect.code else ""
        yield f"{head}{effect.message}"
        if effect.hint:
            yield f"→ {effect.hint}"
    if len(effects) > _MAX_EFFECTS:
        yield f"and {len(effects) - _MAX_EFFECTS} more"
    for hold in holds:
        yield f"would be held if that is so of every row: {hold}"
