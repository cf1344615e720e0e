from __future__ import annotations

from receiver.components import Components


class Part:
    error: BaseException | None = None

    def __init__(self, name: str, calls: list[str]) -> None:
        self._name = name
        self._calls = calls

    def start(self) -> None:
        self._calls.append(f"start {self._name}")

    def stop(self) -> None:
        self._calls.append(f"stop {self._name}")


def test_they_stop_in_the_reverse_order() -> None:
    calls: list[str] = []
    components = Components(Part("a", calls), None, Part("b", calls))

    components.start()
    components.stop()

    assert calls == ["start a", "start b", "stop b", "stop a"]


def test_a_bug_in_one_is_told() -> None:
    calls: list[str] = []
    broken = Part("b", calls)
    broken.error = KeyError("x")

    components = Components(Part("a", calls), broken)

    assert components.error is broken.error
    assert components.problems() == ["a worker died of a bug: KeyError('x')"]


def test_without_a_bug_there_is_nothing_to_tell() -> None:
    assert Components(Part("a", []), None).problems() == []
