"""Mutants of what stands outside functions, where mutmut changes nothing: limits, tables, patterns.

A number becomes one more, True becomes False, an element of a set, list or tuple is left out, and a
regular expression is changed as `patterns` says.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tests.mutation import patterns


@dataclass(frozen=True, slots=True)
class Change:
    """The module with one change in it; `line` is where, as `before` and `after` show it."""

    line: int
    before: str
    after: str
    source: str


def changes(source: str) -> Iterator[Change]:
    """Yield what could be changed outside the functions of a module, in its order."""
    tree = ast.parse(source)
    outside = list(_outside(tree))
    names = _names_of_patterns(outside)
    for statement in outside:
        for node in _walk(statement):
            for text in _instead(node, source, is_pattern=_is_pattern(node, statement, names)):
                yield _change(source, node, text)


def _outside(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements with a value of the module and of its classes."""
    for statement in tree.body:
        body = statement.body if isinstance(statement, ast.ClassDef) else [statement]
        for each in body:
            if isinstance(each, ast.Assign | ast.AnnAssign) and each.value is not None:
                yield each


def _walk(statement: ast.stmt) -> Iterator[ast.expr]:
    assert isinstance(statement, ast.Assign | ast.AnnAssign)
    assert statement.value is not None
    waiting: list[ast.AST] = [statement.value]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.Subscript):
            continue  # Callable[[], bool] and Literal["a"] are for the type checker
        if isinstance(node, ast.expr):
            yield node
        if not isinstance(node, ast.JoinedStr):
            waiting += ast.iter_child_nodes(node)


def _names_of_patterns(statements: list[ast.stmt]) -> set[str]:
    """Return the names of strings that regular expressions are made of."""
    values = {
        target.id: statement.value
        for statement in statements
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    names: set[str] = set()
    waiting = [value for value in values.values() if _compiles(value)]
    while waiting:
        for node in ast.walk(waiting.pop()):
            if isinstance(node, ast.Name) and node.id in values and node.id not in names:
                names.add(node.id)
                waiting.append(values[node.id])
    return names


def _compiles(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func) == "re.compile"


def _is_pattern(node: ast.expr, statement: ast.stmt, names: set[str]) -> bool:
    if not isinstance(node, ast.JoinedStr) and not (
        isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    ):
        return False
    if not isinstance(statement, ast.Assign):
        return False
    (target,) = statement.targets
    return _compiles(statement.value) or (isinstance(target, ast.Name) and target.id in names)


def _instead(node: ast.expr, source: str, *, is_pattern: bool) -> Iterator[str]:
    """Yield source texts that may stand in the place of `node`."""
    text = ast.get_source_segment(source, node) or ""
    if is_pattern:
        begin, end = text.index(text[-1]) + 1, len(text) - 1
        for pattern in patterns.changed(text[begin:end]):
            yield text[:begin] + pattern + text[end:]
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield str(not node.value)
        elif isinstance(node.value, int | float):
            yield str(node.value + 1)
    elif isinstance(node, ast.Set | ast.List | ast.Tuple) and len(node.elts) > 1:
        for left_out in node.elts:
            others = [ast.unparse(each) for each in node.elts if each is not left_out]
            if isinstance(node, ast.Tuple):
                yield f"({', '.join(others)},)"
            else:
                yield (
                    f"{{{', '.join(others)}}}"
                    if isinstance(node, ast.Set)
                    else f"[{', '.join(others)}]"
                )


def _change(source: str, node: ast.expr, text: str) -> Change:
    lines = source.splitlines(keepends=True)
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    # ast counts bytes.
    head = lines[node.lineno - 1].encode()[: node.col_offset].decode()
    tail = lines[node.end_lineno - 1].encode()[node.end_col_offset :].decode()
    changed = [*lines[: node.lineno - 1], head + text + tail, *lines[node.end_lineno :]]
    before = " ".join((ast.get_source_segment(source, node) or "").split())
    return Change(node.lineno, before, " ".join(text.split()), "".join(changed))
