"""What stands in a file is no markup in a comment: nobody is called, nothing is linked, no cell is ended."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reconciler.config.district import SchoolMapping
from reconciler.errors import ConfigError, MapperError, Problem
from reconciler.planning.change import Action, Change, FieldChange, Step
from reconciler.planning.connection import Phase
from reconciler.planning.plan import Plan, build_plan
from reconciler.planning.touched import Since
from reconciler.render.markdown import LIMIT, code, cut, row, table
from reconciler.render.plan_markdown import MARKER, Notice, failure_markdown, plan_markdown
from tests.planning.samples import NOW, connection, observed

GOLDEN = Path(__file__).parent / "golden"
COMMONMARK = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def rendered(markdown: str) -> str:
    return str(COMMONMARK.render(markdown))


HOSTILE = {
    "a closing tag": "</code></summary><h1>big",
    "a script": "<script>alert(1)</script>",
    "an image": "![x](https://evil.example/x.png)",
    "an image in HTML": '<img src=x onerror="alert(1)">',
    "a link": "[click](https://evil.example)",
    "an address": "see https://evil.example/now and www.evil.example",
    "an address of mail": "mailto:a@evil.example b@evil.example",
    "somebody's name": "@everyone and @org/team",
    "references": "#12 org/repo#3 GH-4 !5",
    "backticks": "`a` ``b`` ```",
    "a pipe": "a | b || c",
    "emphasis": "*a* **b** _c_ __d__ ~~e~~",
    "a backslash": "\\| \\` \\",
    "an entity": "&lt;b&gt; &amp; &#64;x",
    "line breaks": "a\n# b\r\n- c\n\n</details>\n",
    "a fence": "```\n~~~\n",
    "a comment": "<!-- x --> -->",
    "mathematics": "$x$ $$y$$",
    "a footnote and a task": "[^1] [x]",
    "bidi": "a\u202eb\u2066c\u2069",
    "control": "a\x00\x1b[31mb\x07\x85\u2028",
    "nothing to be seen": "a\u200bb\u00ad\ufeff",
    "half a character": "a\ud800b",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_from_a_file_is_markup(text: str) -> None:
    html = rendered("\n".join(table(["one", "two"], [[code(text), "end"]])))
    inside = html.split("<td><code>")[1].split("</code></td>\n<td>end</td>")[0]
    assert "<" not in inside.replace("<!-- -->", "")
    assert html.count("<td>") == 2


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_shown_is_what_was_written(text: str) -> None:
    html = rendered(f"| a |\n|---|\n{row([code(text)])}")
    seen = html.split("<td><code>")[1].split("</code>")[0].replace("<!-- -->", "")
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        seen = seen.replace(entity, character)
    assert seen == "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


RAW = {
    "a name that is called": ("@octocat", "@octocat"),
    "an open tag": ("<b>", "<b>"),
    "an address": ("http://a.example", "://"),
    "www": ("WWW.a.example", "WWW.a"),
    "mail": ("MAILTO:a", "MAILTO:"),
    "a number": ("#1", "#1"),
    "a backtick": ("`", "`"),
    "a pipe": ("|", "|"),
    "bidi": ("\u202e", "\u202e"),
    "a line break": ("a\nb", "\n"),
}


@pytest.mark.parametrize(("text", "never"), RAW.values(), ids=RAW)
def test_nor_does_it_stand_there_as_it_is(text: str, never: str) -> None:
    assert never not in code(text)


PLAIN = ["sftp.host", "SFTP_OAK_PASSWORD", "districts/tx/oak.yaml:3:1", "SHA256:abc/+d=", "0 2 1 1", "Señora"]


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_markup_stays_readable(text: str) -> None:
    assert code(text) == f"<code>{text}</code>"


@given(st.text(max_size=60))
def test_any_text_is_one_cell_of_one_line(text: str) -> None:
    html = rendered(f"| a | b |\n|---|---|\n{row([code(text), 'end'])}")
    assert (html.count("<td>"), html.count("<tr>"), html.count("<code>")) == (2, 2, 1)
    assert "<td>end</td>" in html


def test_a_long_text_is_cut_between_characters() -> None:
    assert cut("abcdef", 4) == "abc…"
    assert code("<" * 500).endswith("&lt;…</code>")


# -- the document --------------------------------------------------------------------------------------------


def each_action() -> Plan:
    desired = {
        "ash": connection("ash"),
        "elm": connection(
            "elm",
            sftp={"host": "new.example"},
            schools=(SchoolMapping("0042", "lincoln"), SchoolMapping("7", "x"), SchoolMapping("8", "y")),
        ),
        "fir": connection("fir", sync={"state": "stopped"}),
        "ivy": connection("ivy"),
        "oak": connection("oak"),
        "yew": connection("yew"),
    }
    before = {name: observed(connection(name)) for name in ("elm", "fir", "gum", "oak")}
    before["ivy"] = observed(connection("ivy", sync={"state": "stopped"}), phase=Phase.MAPPED)
    before["yew"] = observed(connection("yew"), unfinished=True)
    return build_plan(desired, before, now=NOW, retire_after=timedelta(days=30), refused=["bad", "worse"])


REFUSED = {
    "bad": ConfigError(
        "districts/bad.yaml:3:1 sftp: is required (and 1 more)",
        [
            Problem("config.schema", "error", "districts/bad.yaml", 3, 1, "sftp", "is required", "add sftp"),
            Problem("config.schema", "error", "districts/bad.yaml", 9, 3, "accont", "is not known",
                    "did you mean 'account'?"),
        ],
    ),
    "worse": MapperError("there is no mapper 'x'", code="mapper.unknown", hint="did you mean 'y'?"),
}  # fmt: skip
SINCE = Since("origin/main", "1" * 40, "2" * 40, 3, 8, 12_992)
ALL = Since("main", "1" * 40, "2" * 40, 1, 13_000, 0, "reconciler.yaml is among them")


def many(count: int) -> Plan:
    fields = (
        FieldChange("sftp.host", "old.example.org", "new.example.org"),
        FieldChange("sftp.port", 22, 2222),
    )
    changes = [
        Change(f"district-{n:05d}", Action.UPDATE, (Step.TEST, Step.SYNC), Phase.SAVED, fields)
        for n in range(count)
    ]
    return Plan(tuple(changes), 13_000 - count)


DOCUMENTS = {
    "markdown-empty": lambda: plan_markdown(Plan((), 3), {}, Notice("abc123")),
    "markdown-actions": lambda: plan_markdown(each_action(), REFUSED, Notice("abc123", since=SINCE)),
    "markdown-preview": lambda: plan_markdown(
        each_action(),
        {},
        Notice(
            previews={"yew": ["3 students added", "", "- 1 removed"], "elm": ["none"], "oak": ["2 changed"]},
            remarks={"elm": "would be held (sync.removals) <b>"},
        ),
    ),
    "markdown-200": lambda: plan_markdown(
        many(200), {}, Notice("abc123", "reconciler plan --since main", ALL)
    ),
    "markdown-cut": lambda: plan_markdown(many(40), REFUSED, Notice("abc123"), limit=4000),
    "markdown-failed-file": lambda: failure_markdown(
        "config.schema",
        "reconciler.yaml is not valid, so no district is touched",
        "",
        REFUSED["bad"].problems,
    ),
    "markdown-failed": lambda: failure_markdown(
        "usage.revision", "git knows no revision '@x'", "`git fetch`"
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_document_is_as_it_was(name: str) -> None:
    text = DOCUMENTS[name]() + "\n"
    golden = GOLDEN / f"{name}.md"
    if not golden.exists():
        golden.write_text(text)
    assert text == golden.read_text()
    assert text.startswith(MARKER + "\n")


@pytest.mark.parametrize("limit", [2_000, 4_000, 20_000, LIMIT])
@pytest.mark.parametrize("count", [1, 10, 200, 13_000])
def test_a_comment_is_never_too_long_and_never_cut_inside_a_fold(count: int, limit: int) -> None:
    refused = {f"bad-{n}": ConfigError("x" * 900) for n in range(count // 10)}
    text = plan_markdown(many(count), refused, Notice(), limit=limit)
    assert len(text.encode()) <= limit
    for tag in ("details", "summary", "code", "sub"):
        assert text.count(f"<{tag}>") == text.count(f"</{tag}>")
    assert text.splitlines()[-1].startswith("<sub>Commit")


def test_what_is_cut_is_counted_and_the_command_that_shows_it_named() -> None:
    text = plan_markdown(many(13_000), {}, Notice(command="reconciler plan --since main"))
    shown = text.count("| **update** |")
    assert f"not shown here are {13_000 - shown:,} districts" in text
    assert "<code>reconciler plan --since main</code>" in text


def test_every_line_goes_before_any_fold() -> None:
    text = plan_markdown(many(200), {}, Notice())
    assert text.count("| **update** |") == 200
    assert 0 < text.count("<details>") < 200
    assert f"the details of {200 - text.count('<details>')}" in text


def test_what_takes_something_away_stands_first() -> None:
    lines = [line for line in plan_markdown(each_action(), {}).splitlines() if line.startswith("| **")]
    assert [line.split("**")[1] for line in lines] == [
        "retire",
        "stop",
        "update",
        "update",
        "start",
        "create",
    ]


def test_a_district_with_thousands_of_schools_is_shown_in_part() -> None:
    schools = tuple(SchoolMapping(str(n), f"s{n}") for n in range(5_000))
    desired = {"oak": connection("oak", schools=schools)}
    plan = build_plan(desired, {}, now=NOW, retire_after=timedelta(days=30))
    text = plan_markdown(plan, {})
    assert len(text) < 10_000
    assert "reconciler plan --only oak" in text


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_stays_in_its_cell(text: str) -> None:
    assert _shape(_said_of(text)) == _shape(_said_of("calm"))


def _said_of(text: str) -> str:
    """A document in which everything that a file can say is this text."""
    fields = (FieldChange(f"schools[{text}]", text, None), FieldChange(text, None, [text, {text: text}]))
    change = Change(text, Action.UPDATE, (Step.SYNC,), Phase.SAVED, fields)
    problem = Problem(text, "error", text, 1, 1, text, text, text)
    refused = {text: ConfigError(text, [problem]), "b": MapperError(text, hint=text)}
    since = Since(text, text, text, 1, 1, 0)
    return plan_markdown(Plan((change,), 0), refused, Notice(text, text, since))


def _shape(document: str) -> Counter[str]:
    """How many there are of everything in a document, without its texts."""
    tokens = [token for top in COMMONMARK.parse(document) for token in (top, *(top.children or ()))]
    return Counter(t.type for t in tokens if not t.type.startswith("text") and t.content != "<!-- -->")
