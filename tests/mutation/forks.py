"""Try every mutant of a module, in a copy: `python -m tests.mutation.forks MODULE TESTS...`.

mutmut makes the mutants of functions: all of them stand in the module at once, and a variable of
the environment chooses one. pytest collects the tests once; then each mutant gets a fork of this
process, with the module as it was imported, and runs the tests that come by until one fails.

Of the output the lines count that begin with `TOLD`: how many mutants there will be, then of each
what `Mutant` holds, as JSON.
"""

from __future__ import annotations

import ast
import difflib
import json
import os
import re
import resource
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import pytest
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.state import state

from tests.mutation import constants
from tests.mutation.mutant import TOLD, Fate, Mutant
from tests.mutation.undecorated import undecorated

#: CPU seconds that a mutant gets, as a multiple of what its tests take, and besides; and seconds
#: of the clock, for one that only waits; which gets twice as many of these at a second try.
_TIMES, _MORE = 4, 2
_TIMES_ELAPSED, _MORE_ELAPSED = 2, 10
#: What the tests get before it is known what they take.
_AT_FIRST = (300, 600)
_VARIABLE = "MUTANT_UNDER_TEST"
_GENERATED = re.compile(r"\s*# type: ignore # mutmut generated")


@dataclass(frozen=True, slots=True)
class Trace:
    """What a test takes of the CPU and of time, and the functions of the module that it runs."""

    seconds: float
    elapsed: float
    functions: list[str]


class Loop:
    """A pytest plugin in the place of the loop over the tests."""

    def __init__(
        self,
        module: str,
        names: Sequence[str],
        mutated: str,
        original: str,
        *,
        remembered: Collection[str],
        tell: Callable[[Any], None],
    ) -> None:
        """`remembered` may not run where a test asks for them, for an earlier one did."""
        self._module = module.removesuffix(".py").replace("/", ".")
        self._names = names
        self._functions = _functions(mutated)
        self._changes = [each for each in constants.changes(original) if self._is_program(each)]
        self._remembered = remembered
        self._tell = tell
        self.trouble = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            # Looks for leaks after each test, which takes longer than the test.
            names = getattr(item, "fixturenames", [])
            if "_nothing_leaks" in names:
                names.remove("_nothing_leaks")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            os._exit(1)  # of a fork: the parent runs none

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        traces = _trace(session.items)
        if traces is None:
            self.trouble = "without any change the tests fail"
            return True
        # The quick ones first, which find most.
        items = sorted(session.items, key=lambda item: traces[item.nodeid].seconds)
        self._tell(len(self._names) + len(self._changes))
        for name in self._names:
            place = name.rpartition("__mutmut_")[0]
            shown = place.removeprefix("xǁ").removeprefix("x_").replace("ǁ", ".")
            function = f"{self._module}.{place}"
            tests = [
                item
                for item in items
                if shown in self._remembered or function in traces[item.nodeid].functions
            ]

            def choose(name: str = name) -> None:
                os.environ[_VARIABLE] = f"{self._module}.{name}"

            before, after = _difference(
                self._functions[f"{place}__mutmut_orig"], self._functions[name]
            )
            fate = _try(choose, tests, _limits(tests, traces))
            self._tell(astuple(Mutant(shown, before, after, fate)))
        limits = _limits(items, traces)
        for change in self._changes:

            def put(source: str = change.source) -> None:
                # The functions that tests have got hold of look into the same namespace.
                exec(source, vars(sys.modules[self._module]))

            fate = _try(put, items, limits)
            self._tell(astuple(Mutant(f"line {change.line}", change.before, change.after, fate)))
        if _fork(_nothing, items, _AT_FIRST) != 0:
            self.trouble = "in the end the tests fail without any change"
        return True

    def _is_program(self, change: constants.Change) -> bool:
        try:
            exec(change.source, {"__name__": self._module})
        except Exception:  # a pattern that does not compile, say
            return False
        return True


def _trace(items: Sequence[pytest.Item]) -> dict[str, Trace] | None:
    """Return each test's trace by its id; None where they fail as it is."""
    kept = Path("traces.json")

    def choose() -> None:
        os.environ[_VARIABLE] = "stats"

    def note(traces: dict[str, Trace]) -> None:
        kept.write_text(json.dumps({name: astuple(trace) for name, trace in traces.items()}))

    if _fork(choose, items, _AT_FIRST, note=note) != 0:
        return None
    return {name: Trace(*each) for name, each in json.loads(kept.read_text()).items()}


def _nothing() -> None:
    pass


def _fork(
    prepare: Callable[[], None],
    items: Sequence[pytest.Item],
    limits: tuple[int, int],
    *,
    note: Callable[[dict[str, Trace]], None] | None = None,
) -> int:
    """Return the exit status of a fork that runs `items`, or minus the signal."""
    child = os.fork()
    if child != 0:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    seconds, elapsed = limits
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    signal.alarm(elapsed)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    status = 1
    try:
        prepare()
        found = dict(_run(items))
        if note is not None:
            note(found)
        status = 0
    finally:
        os._exit(status)


def _run(items: Sequence[pytest.Item]) -> Iterator[tuple[str, Trace]]:
    for item, following in zip(items, [*items[1:], None], strict=True):
        state()._stats.clear()
        begun, at = time.process_time(), time.monotonic()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        seconds, elapsed = time.process_time() - begun, time.monotonic() - at
        yield item.nodeid, Trace(seconds, elapsed, sorted(state()._stats))


def _limits(items: Sequence[pytest.Item], traces: dict[str, Trace]) -> tuple[int, int]:
    """Return the seconds of CPU and of the clock that a run of `items` gets."""
    seconds = sum(traces[item.nodeid].seconds for item in items)
    elapsed = sum(traces[item.nodeid].elapsed for item in items)
    return round(_MORE + _TIMES * seconds), round(_MORE_ELAPSED + _TIMES_ELAPSED * elapsed)


def _try(
    prepare: Callable[[], None], items: Sequence[pytest.Item], limits: tuple[int, int]
) -> Fate:
    status = _fork(prepare, items, limits)
    if status == -signal.SIGALRM:  # a busy machine may have been the reason
        seconds, elapsed = limits
        status = _fork(prepare, items, (seconds, 2 * elapsed))
    if status == 0:
        return "survived"
    # SIGKILL follows where the limits of SIGXCPU are the same.
    return "timeout" if status in (-signal.SIGALRM, -signal.SIGXCPU, -signal.SIGKILL) else "killed"


def _functions(mutated: str) -> dict[str, list[str]]:
    lines = mutated.splitlines()
    return {
        node.name: [
            _GENERATED.sub("", line).replace(node.name, "")
            for line in lines[node.lineno - 1 : node.end_lineno]
        ]
        for node in ast.walk(ast.parse(mutated))
        if isinstance(node, ast.FunctionDef) and "__mutmut_" in node.name
    }


def _difference(before: list[str], after: list[str]) -> tuple[str, str]:
    removed, added = [], []
    for line in difflib.ndiff(before, after):
        if line.startswith("- "):
            removed.append(line[2:].strip())
        elif line.startswith("+ "):
            added.append(line[2:].strip())
    return " ".join(removed), " ".join(added)


def main() -> int:
    module, *tests = sys.argv[1:]
    Path("setup.cfg").write_text("[mutmut]\nsource_paths=shared\n")  # it insists on one
    original = Path(module).read_text()
    plain_source, remembered = undecorated(original)
    made = mutate_file_contents(module, plain_source)
    Path(module).write_text(made.code)
    # pytest takes the output from here on.
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)

    def tell(what: Any) -> None:
        print(f"\n{TOLD}{json.dumps(what)}", file=out)  # the dots of pytest end nowhere

    loop = Loop(*(module, made.mutant_names, made.code, original), remembered=remembered, tell=tell)
    # Nobody reads how a test failed, so nothing is found out about that.
    plain = ("-q", "--assert=plain", "--tb=no", "-p", "tests.mutation.plain")
    status = pytest.main([*plain, *tests], plugins=[loop])
    if status != 0 or loop.trouble:
        print(f"{loop.trouble or 'the tests cannot be collected'} ({status})")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
