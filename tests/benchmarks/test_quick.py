from __future__ import annotations

import pytest

from benchmarks.measuring.expectation import Expectation, table


@pytest.mark.parametrize(
    ("measured", "sign", "met"), [(0.9, "<=", True), (1.1, "<=", False), (1.1, ">=", True)]
)
def test_a_passed_bound_is_said(measured: float, sign: str, met: bool) -> None:
    one = Expectation("latency", measured, "<=" if sign == "<=" else ">=", 1.0)

    assert one.is_met is met
    assert ("SLOWER THAN EXPECTED: latency" in table([one])) is not met
    assert f"expected {sign} 1" in table([one])
