"""What can be changed in a regular expression: one thing at a time, of those that carry a meaning.

An alternative left out, a character of a class left out, a look-around turned round, a repetition
that must or need not be, a length one longer, capital letters told apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TURNED = {"(?=": "(?!", "(?!": "(?=", "(?<=": "(?<!", "(?<!": "(?<="}
_CHARACTER = r"(?:\\x[0-9a-f]{2}|\\.|[^\\])"
_ITEM = re.compile(rf"{_CHARACTER}(?:-{_CHARACTER})?", re.DOTALL)
_LENGTH = re.compile(r"(\d+)(\}+)")


def changed(pattern: str) -> Iterator[str]:
    """Yield what `pattern`, as it is written in the source of a string, could be instead."""
    #: Where the alternatives begin of each group that is open.
    opened = [[0]]
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if character == "\\":
            at += 2
            continue
        if character == "[":
            end = _end_of_class(pattern, at)
            yield from _without_an_item(pattern, at, end)
            at = end
            continue
        if character == "(":
            for begin, other in _TURNED.items():
                if pattern.startswith(begin, at):
                    yield pattern[:at] + other + pattern[at + len(begin) :]
            if pattern.startswith("(?i)", at):
                yield pattern[:at] + pattern[at + 4 :]
                at += 4
                continue
            begin_of_group = re.compile(r"\((?:\?(?:[:=!]|<[=!]))?").match(pattern, at)
            opened.append([at + 1 if begin_of_group is None else begin_of_group.end()])
        elif character == "|":
            opened[-1].append(at + 1)
        elif character == ")" and len(opened) > 1:
            yield from _without_an_alternative(pattern, opened.pop(), at)
        elif character in "*+" and at > 0:
            yield pattern[:at] + ("+" if character == "*" else "*") + pattern[at + 1 :]
        elif (found := _LENGTH.match(pattern, at)) is not None:
            yield pattern[:at] + str(int(found[1]) + 1) + pattern[found.end(1) :]
            at = found.end() - 1
        at += 1
    yield from _without_an_alternative(pattern, opened[0], len(pattern))


def _end_of_class(pattern: str, at: int) -> int:
    """Return what is behind the `]` of the class that begins at `at`."""
    end = at + 2 if pattern[at + 1] == "^" else at + 1
    while pattern[end] != "]":
        end += 2 if pattern[end] == "\\" else 1
    return end + 1


def _without_an_item(pattern: str, at: int, end: int) -> Iterator[str]:
    begin = at + 2 if pattern[at + 1] == "^" else at + 1
    items = list(_ITEM.finditer(pattern, begin, end - 1))
    if len(items) > 1:
        for item in items:
            yield pattern[: item.start()] + pattern[item.end() :]


def _without_an_alternative(pattern: str, begins: list[int], end: int) -> Iterator[str]:
    ends = [*(begin - 1 for begin in begins[1:]), end]
    if len(begins) == 1:
        return
    for begin, finish in zip(begins, ends, strict=True):
        if begin == begins[0]:  # with the bar behind it
            yield pattern[:begin] + pattern[finish + 1 :]
        else:
            yield pattern[: begin - 1] + pattern[finish:]
