"""Try every mutant of a module, in a copy: `python -m tests.mutation.forks MODULE TESTS...`.

mutmut makes the mutants of functions: all of them stand in the module at once, and a variable of
the environment chooses one. pytest collects the tests once; then each mutant gets a fork of this
process, with the module as it was imported, and runs the tests that come by until one fails. The
last line of the output is what `Mutant` holds, as JSON.
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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import pytest
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.state import state

from tests.mutation import constants
from tests.mutation.mutant import Fate, Mutant

#: CPU seconds that a mutant gets, as a multiple of what its tests take, and besides; and seconds
#: of the clock, for one that only waits.
_TIMES, _MORE = 4, 2
_TIMES_ELAPSED, _MORE_ELAPSED = 4, 15
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

    def __init__(self, module: str, names: Sequence[str], mutated: str, original: str) -> None:
        self._module = module.removesuffix(".py").replace("/", ".")
        self._names = names
        self._functions = _functions(mutated)
        self._original = original
        self.mutants: list[Mutant] = []
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
        for name in self._names:
            place = name.rpartition("__mutmut_")[0]
            function = f"{self._module}.{place}"
            tests = [item for item in items if function in traces[item.nodeid].functions]

            def choose(name: str = name) -> None:
                os.environ[_VARIABLE] = f"{self._module}.{name}"

            before, after = _difference(
                self._functions[f"{place}__mutmut_orig"], self._functions[name]
            )
            shown = place.removeprefix("xǁ").removeprefix("x_").replace("ǁ", ".")
            fate = _fate(_fork(choose, tests, _limits(tests, traces)))
            self.mutants.append(Mutant(shown, before, after, fate))
        limits = _limits(items, traces)
        for change in constants.changes(self._original):
            try:
                exec(change.source, {"__name__": self._module})
            except Exception:  # is no program: a pattern that does not compile
                continue

            def put(source: str = change.source) -> None:
                # The functions that tests have got hold of look into the same namespace.
                exec(source, vars(sys.modules[self._module]))

            fate = _fate(_fork(put, items, limits))
            self.mutants.append(Mutant(f"line {change.line}", change.before, change.after, fate))
        if _fork(_nothing, items, limits) != 0:
            self.trouble = "in the end the tests fail without any change"
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


def _fate(status: int) -> Fate:
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
    made = mutate_file_contents(module, original)
    Path(module).write_text(made.code)
    loop = Loop(module, made.mutant_names, made.code, original)
    # Nobody reads how a test failed, so nothing is found out about that.
    plain = ("-q", "--assert=plain", "--tb=no", "-p", "tests.mutation.plain")
    status = pytest.main([*plain, *tests], plugins=[loop])
    if status != 0 or loop.trouble:
        print(f"{loop.trouble or 'the tests cannot be collected'} ({status})")
        return 1
    print(json.dumps([[each.place, each.before, each.after, each.fate] for each in loop.mutants]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
