from __future__ import annotations

import pytest

from receiver.environ import Headers


@pytest.mark.parametrize("name", ["X-Frame-Seq", "x-frame-seq", "X-FRAME-SEQ"])
def test_a_header_is_found_by_its_name_in_any_case(name: str) -> None:
    assert Headers({"HTTP_X_FRAME_SEQ": "7"}).get(name) == "7"


def test_a_header_that_did_not_come_is_none() -> None:
    assert Headers({"X_FRAME_SEQ": "7"}).get("X-Frame-Seq") is None
