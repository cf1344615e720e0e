"""What the mutation tests are made of is itself as it says."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest

from tests.mutation import patterns
from tests.mutation.__main__ import named
from tests.mutation.constants import changes
from tests.mutation.copy import ROOT
from tests.mutation.equivalents import EQUIVALENT
from tests.mutation.modules import HELD_BY
from tests.mutation.mutant import Mutant
from tests.mutation.progress import Progress
from tests.mutation.report import PAGE, score, stale, write_page
from tests.mutation.undecorated import undecorated


@pytest.mark.parametrize(
    ("pattern", "others"),
    [
        ("abc", set()),
        ("a|bc", {"a", "bc"}),
        ("x(?:a|b)y", {"x(?:a)y", "x(?:b)y"}),
        ("[a-z_]", {"[a-z]", "[_]"}),
        (r"[^\s@]", {r"[^\s]", "[^@]"}),
        (r"[\x00\xd0-\xd7]", {r"[\x00]", r"[\xd0-\xd7]"}),
        ("a+b*", {"a*b*", "a+b+"}),
        (r"a\+", set()),
        ("(?=a)(?!b)", {"(?!a)(?!b)", "(?=a)(?=b)"}),
        ("(?<=a)", {"(?<!a)"}),
        ("(?i)a", {"a"}),
        ("a{0,63}", {"a{0,64}"}),
    ],
)
def test_a_pattern_is_changed_in_one_thing_at_a_time(pattern: str, others: set[str]) -> None:
    assert set(patterns.changed(pattern)) == others


def test_what_stands_outside_functions_is_changed_in_one_thing_at_a_time() -> None:
    source = "import re\nA = 64\nB = {1.5, 'x'}\nC = re.compile(r'a|b')\n\ndef f():\n    return 1\n"

    found = {(each.line, each.before, each.after) for each in changes(source)}

    assert found == {
        (2, "64", "65"),
        (3, "{1.5, 'x'}", "{'x'}"),
        (3, "{1.5, 'x'}", "{1.5}"),
        (3, "1.5", "2.5"),
        (4, "r'a|b'", "r'a'"),
        (4, "r'a|b'", "r'b'"),
    }
    assert {each.source for each in changes("A = 1\n")} == {"A = 2\n"}


def test_a_property_and_a_remembered_function_are_the_same_without_decorators() -> None:
    source = """
from functools import lru_cache

@lru_cache(
    maxsize=2
)
def twice(x):
    return 2 * x

class A:
    @property
    def size(self):
        return twice(3)

    @staticmethod
    def left(self):
        return 1
"""
    plain, names = undecorated(source)
    found: dict[str, Any] = {}
    exec(plain, found)

    assert names == {"twice", "size"}
    assert re.findall("@.*", plain) == ["@staticmethod"]
    assert found["A"]().size == 6
    assert found["twice"].cache_info().maxsize == 2


def test_a_part_of_a_name_is_enough_and_a_whole_one_is_that() -> None:
    assert named(["sender/books.py", "/tok"]) == [
        *("sender/books.py", "receiver/access/token_file.py", "shared/access/tokens.py")
    ]
    assert named([]) == list(HELD_BY)
    with pytest.raises(ValueError, match=r"expected one of --list or a part .*, got 'nothing'"):
        named(["sender", "nothing"])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_who_watches_sees_how_far_it_is_and_how_long_it_takes() -> None:
    now = 100.0
    terminal = Terminal()
    with Progress("a.py", stream=terminal, clock=lambda: now) as progress:
        now += 9.0
        progress.expect(200)
        for fate in ("killed", "survived"):
            now += 5.0
            progress.tried(Mutant("f", "x = 1", "x = 2", fate))

    assert terminal.getvalue().split("\r\x1b[K")[1:] == [
        "a.py: its tests, without a change",
        "a.py: 0 of 200, 0 survived",
        "a.py: 1 of 200, 0 survived, 17 min left",
        "a.py: 2 of 200, 1 survived, 16 min left",
        "",
    ]


def test_where_nobody_watches_nothing_is_shown() -> None:
    log = io.StringIO()
    with Progress("a.py", stream=log) as progress:
        progress.expect(1)

    assert log.getvalue() == ""


@pytest.mark.parametrize("module", HELD_BY)
def test_each_module_and_the_tests_that_hold_it_are_there(module: str) -> None:
    assert (ROOT / module).is_file()
    for test in HELD_BY[module]:
        path, _, name = test.partition("::")
        text = (ROOT / path).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in text


def test_reasons_are_given_for_modules_that_are_tried() -> None:
    assert EQUIVALENT.keys() <= HELD_BY.keys()
    assert all(reason for reasons in EQUIVALENT.values() for reason in reasons.values())


def test_survivors_count_whatever_the_reason_and_timeouts_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(EQUIVALENT, "a.py", {"x = None": "as good", "gone": "of no mutant"})
    mutants = [
        Mutant("f", "x = 1", "x = 2", "killed"),
        Mutant("f", "x = 1", "x = 3", "timeout"),
        Mutant("f", "x = 1", "x = None", "survived"),
        Mutant("f", "y = 1", "y = 2", "survived"),
    ]

    found = score("a.py", ["test_a.py"], mutants)

    assert (found.mutants, found.killed, found.timeouts, found.survived) == (4, 1, 1, 2)
    assert found.percent == 50.0
    assert [each["reason"] for each in found.equivalent] == ["as good"]
    assert [each["after"] for each in found.left] == ["y = 2"]
    assert stale("a.py", mutants) == ["gone"]


def test_the_page_has_a_row_for_each_module_that_is_tried() -> None:
    rows = re.findall(r"^\| `(\S+\.py)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert rows == [module for module in HELD_BY if module in rows]


def test_scores_replace_those_before_and_nothing_else(tmp_path: Path) -> None:
    copy = tmp_path / "mutation.md"
    copy.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    one = {
        "mutants": 4,
        "killed": 1,
        "timeouts": 1,
        "survived": 2,
        "percent": 50.0,
        "equivalent": [{"before": "x = 1", "after": "x = None", "reason": "as good"}],
    }

    write_page({"a.py": one}, copy)
    once = copy.read_text(encoding="utf-8")
    write_page({"a.py": one}, copy)

    assert copy.read_text(encoding="utf-8") == once
    assert "| `a.py` | 4 | 1 | 1 | 2 | 1 | 50.0 % |" in once
    assert "`` x = 1 `` → `` x = None ``: as good" in once
