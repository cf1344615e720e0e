from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.datagram_body import OVERHEAD, Body, unpack
from shared.errors import FrameError

BODY = Body("cam1", b'{"seq":7}', b"\xff\xd8picture")


def test_a_body_is_unpacked_as_it_was_packed() -> None:
    assert unpack(BODY.pack(stream=5, seq=7), stream=5, seq=7) == BODY


def test_a_body_has_little_besides_its_picture() -> None:
    most = Body("c" * 64, b"e" * 4096, b"")

    assert len(most.pack(stream=0, seq=0)) == OVERHEAD


@pytest.mark.parametrize(("stream", "seq"), [(5, 8), (6, 7)])
def test_a_body_under_another_head_is_damaged(stream: int, seq: int) -> None:
    with pytest.raises(FrameError) as caught:
        unpack(BODY.pack(stream=5, seq=7), stream=stream, seq=seq)

    assert caught.value.reason == "checksum"


def test_each_flipped_bit_is_found() -> None:
    data = BODY.pack(stream=5, seq=7)
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FrameError):
            unpack(bytes(flipped), stream=5, seq=7)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_body_or_damaged(data: bytes) -> None:
    try:
        body = unpack(data, stream=5, seq=7)
        assert body.pack(stream=5, seq=7) == data
    except FrameError:
        pass
