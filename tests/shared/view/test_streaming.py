from __future__ import annotations

import pytest

from shared.view.streaming import pieces


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 131_072, 1_000_000])
def test_pieces_are_small_and_the_whole(size: int) -> None:
    data = bytes(range(251)) * (size // 251) + bytes(size % 251)
    found = list(pieces(data))

    assert b"".join(found) == data
    assert max(map(len, found)) <= 65_536
