"""Properties and remembered functions, which mutmut leaves alone, in a form that it changes.

`@property` in front of a function `f` becomes `f = property(f)` behind it, which is the same.
"""

from __future__ import annotations

import ast

_KNOWN = {"property", "lru_cache"}


def undecorated(source: str) -> tuple[str, set[str]]:
    """Return the module without these decorators, and the names of the functions that had one."""
    lines = source.splitlines(keepends=True)
    names: set[str] = set()
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    for node in sorted(functions, key=lambda node: -node.lineno):  # from below, so lines stay true
        if len(node.decorator_list) != 1:
            continue
        (decorator,) = node.decorator_list
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if not isinstance(called, ast.Name) or called.id not in _KNOWN:
            continue
        assert node.end_lineno is not None
        applied = f"{node.name} = {ast.unparse(decorator)}({node.name})\n"
        lines.insert(node.end_lineno, " " * node.col_offset + applied)
        del lines[decorator.lineno - 1 : node.lineno - 1]
        names.add(node.name)
    return "".join(lines), names
