"""Multipart bodies as programs write them, read without waiting for a byte more than must come."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import codec, pattern
from shared.byte_stream import ByteStream
from shared.multipart import MAX_HEAD, BrokenStream, CutOff, Multipart

JPEGS = [codec.encode(pattern.draw(n, 64, 48), 80) for n in range(4)]


class Wire:
    """Gives exactly as many bytes as are asked for, as a server does that waits for them.

    Whoever asks for more than came would wait for what may never come.
    """

    def __init__(self, data: bytes = b"", *, ended: bool = True) -> None:
        self.rest = data
        self.ended = ended
        self.asked: list[int] = []

    @property
    def calls(self) -> int:
        return len(self.asked)

    def receive(self, least: int) -> bytes:
        self.asked.append(least)
        assert least > 0
        assert self.ended or least <= len(self.rest), f"waits for {least - len(self.rest)} more"
        taken, self.rest = self.rest[:least], self.rest[least:]
        return taken


def multipart(wire: Wire, boundary: str | None = "frame", **options: int | bool) -> Multipart:
    return Multipart(ByteStream(wire.receive), boundary=boundary, **options)  # type: ignore[arg-type]


def parts(data: bytes, boundary: str | None = "frame", **options: int) -> list[bytes]:
    found = []
    reader = multipart(Wire(data), boundary, **options)
    while True:
        try:
            reader.head()
            found.append(reader.body())
        except CutOff:
            raise
        except EOFError:
            return found


def framepost(jpeg: bytes) -> bytes:
    return b"--frame\r\nContent-Length: %d\r\nX-Frame-Seq: 1\r\n\r\n%b\r\n" % (len(jpeg), jpeg)


def ffmpeg(jpeg: bytes) -> bytes:
    head = b"--frame\r\nContent-type: image/jpeg\r\nContent-length: %d\r\n\r\n" % len(jpeg)
    return head + jpeg + b"\r\n"


def nameless(jpeg: bytes) -> bytes:
    return b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg + b"\r\n"


def bare(jpeg: bytes) -> bytes:
    return b"--frame\r\n\r\n" + jpeg


def unix(jpeg: bytes) -> bytes:
    return b"--frame\ncontent-length:%d\n\n" % len(jpeg) + jpeg + b"\n"


def ahead(jpeg: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % len(jpeg) + jpeg + b"\r\n--frame\r\n"


FORMS = [framepost, ffmpeg, nameless, bare, unix]


@pytest.mark.parametrize("boundary", ["frame", "--frame", "", None])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("end", [b"--frame--\r\n", b"--frame--", b""])
def test_parts_are_found_however_they_are_written(
    form: Callable[[bytes], bytes], boundary: str | None, end: bytes
) -> None:
    assert parts(b"".join(map(form, JPEGS)) + end, boundary) == JPEGS


@pytest.mark.parametrize("form", FORMS)
def test_a_part_is_complete_with_its_last_byte(form: Callable[[bytes], bytes]) -> None:
    wire = Wire(ended=False)
    reader = multipart(wire, None)
    for jpeg in JPEGS:
        wire.rest += form(jpeg).removesuffix(b"\n").removesuffix(b"\r")
        reader.head()
        assert reader.body() == jpeg
        wire.rest += b"\r\n"
    wire.rest += b"--frame--"
    with pytest.raises(EOFError):
        reader.head()


def test_a_boundary_that_is_written_ahead_begins_no_part() -> None:
    assert parts(b"--frame\r\n" + b"".join(map(ahead, JPEGS))) == JPEGS


def test_small_and_empty_parts_are_not_waited_for() -> None:
    wire = Wire(b"--frame\r\nContent-Length: 1\r\n\r\nx", ended=False)
    reader = multipart(wire)
    reader.head()
    assert reader.body() == b"x"
    wire.rest += b"\r\n--frame\r\nContent-Length: 0\r\n\r\n\r\n--frame"
    reader.head()
    assert reader.body() == b""
    wire.rest += b"\r\n\r\n\r\n--frame"
    reader.head()
    assert reader.body() == b""


def test_headers_are_looked_up_without_regard_to_case() -> None:
    reader = multipart(Wire(b"--frame\r\nX-Frame-SEQ:  7 \r\nX-Frame-Seq: 8\r\n\r\nx"))

    headers = reader.head()

    assert headers.get("x-frame-seq") == "7"
    assert headers.get("X-Timestamp") is None


@pytest.mark.parametrize("boundary", [b"f", b"frame", b"a-rather-long-boundary-as-some-write-it"])
def test_a_part_of_a_stream_that_goes_on_costs_few_calls(boundary: bytes) -> None:
    def numbered(seq: int) -> bytes:
        head = b"--%b\r\nContent-Length: %d\r\nX-Frame-Seq: %d\r\nX-Timestamp: %f\r\n\r\n"
        return head % (boundary, len(JPEGS[0]), seq, 1700000000 + seq) + JPEGS[0] + b"\r\n"

    wire = Wire(b"".join(map(numbered, range(8, 12))))
    reader = multipart(wire, None)
    calls = []
    for _ in range(4):
        before = wire.calls
        reader.head()
        assert reader.body() == JPEGS[0]
        calls.append(wire.calls - before)

    # The second part is the first behind a body, and the third has a digit more.
    assert max(calls[1:3]) <= 6
    assert calls[3] <= 5


def test_a_body_is_received_in_one_piece_where_heads_are_alike() -> None:
    body = bytes(range(256)) * 40
    wire = Wire(framepost(body) * 3)
    reader = multipart(wire)
    for _ in range(3):
        reader.head()
        assert reader.body() == body

    assert wire.asked[-1] == len(body)


@pytest.mark.parametrize("limit", [1000, 20_000, 999_999, 1_000_000, 32 << 20])
@pytest.mark.parametrize("newline", [b"\r\n", b"\n"])
def test_of_a_part_that_is_too_large_only_the_head_is_waited_for(
    limit: int, newline: bytes
) -> None:
    for length in (limit + 1, limit * 9, *(limit * 10**zeros for zeros in range(1, 20))):
        wire = Wire(framepost(bytes(900)).replace(b"\r\n", newline) * 2, ended=False)
        reader = multipart(wire, max_part=limit)
        for _ in range(2):
            reader.head()
            reader.body()
        wire.rest += (b"--frame\nContent-Length: %d\n\n" % length).replace(b"\n", newline)

        reader.head()

        with pytest.raises(BrokenStream):
            reader.body()


@pytest.mark.parametrize("zeros", [b"", b"0", b"0000000000"])
@pytest.mark.parametrize("length", [1, 9, 10, 99, 100, 1000])
@pytest.mark.parametrize("newline", [b"\r\n", b"\n"])
def test_no_byte_is_waited_for_that_need_not_come(
    length: int, zeros: bytes, newline: bytes
) -> None:
    wire = Wire(ended=False)
    reader = multipart(wire, max_part=1000)
    body = b"x" * length
    for fields in (b"", b"X-Frame-Seq: 1\n", b"A:\n", b"Content-Type: image/jpeg\n" * 3, b""):
        head = b"--frame\n%bContent-Length: %b%d\n\n" % (fields, zeros, length)
        wire.rest += head.replace(b"\n", newline) + body
        reader.head()
        assert reader.body() == body
        assert wire.rest == b""
        wire.rest += newline


def test_a_long_head_costs_few_calls_when_the_length_comes_first() -> None:
    more = b"".join(b"X-Header-%d: something to read\r\n" % number for number in range(10))
    wire = Wire(framepost(JPEGS[0]).replace(b"X-Frame-Seq: 1\r\n", more))
    reader = multipart(wire)
    reader.head()
    reader.body()

    assert wire.calls < 20


def test_with_a_guess_a_part_without_a_length_costs_few_calls() -> None:
    def calls(*, guess: bool) -> int:
        wire = Wire(b"".join(map(nameless, JPEGS)))
        reader = multipart(wire, guess=guess)
        reader.head()
        reader.body()
        first = wire.calls
        reader.head()
        assert reader.body() == JPEGS[1]
        return wire.calls - first

    assert calls(guess=True) < calls(guess=False) / 4


def test_a_part_much_shorter_than_was_guessed_is_not_lost() -> None:
    wire = Wire(nameless(JPEGS[0] + bytes(9)) + nameless(b"\x89PNG") + nameless(JPEGS[1]))
    reader = multipart(wire, guess=True)
    found = []
    for _ in range(3):
        reader.head()
        found.append(reader.body())

    assert found == [JPEGS[0], b"\x89PNG", JPEGS[1]]


def test_a_picture_inside_the_jpeg_does_not_end_it() -> None:
    jpeg = JPEGS[0][:2] + b"\xff\xe1\x00\x10" + b"thumb\xff\xd8\xff\xd9....." + JPEGS[0][2:]

    assert parts(nameless(jpeg)) == [jpeg]


def test_end_markers_without_end_are_not_tried_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def refuse(data: bytearray) -> bool:
        tried.append(len(data))
        return False

    monkeypatch.setattr("shared.multipart._is_jpeg", refuse)

    assert parts(bare(b"\xff\xd8" + b"\xff\xd9" * 5000)) == [b"\xff\xd8" + b"\xff\xd9" * 5000]
    assert len(tried) == 16


@pytest.mark.parametrize(
    ("data", "boundary", "got"),
    [
        (JPEGS[0], None, "no boundary, but bytes that begin ff d8 ff e0"),
        (b"\n" * (65 << 10), None, "no boundary"),
        (b"x" * (65 << 10), None, "no boundary, but bytes that begin 78 78"),
        (framepost(JPEGS[0]), "other", "no boundary '--other'"),
        (b"x" * (65 << 10), "frame", "no boundary in 65536 bytes"),
        (b"--frame\r\n" + b"x" * (17 << 10), "frame", "headers without an end"),
        (b"--frame\r\n" + b"x: y\r\n" * (4 << 10), "frame", "headers without an end"),
        (b"--frame" + b"x" * (17 << 10), "frame", "headers without an end"),
    ],
)
def test_what_is_no_multipart_is_said_so(data: bytes, boundary: str | None, got: str) -> None:
    with pytest.raises(BrokenStream) as caught:
        parts(data, boundary)

    assert caught.value.status == 400
    assert got in str(caught.value)


def test_a_head_that_comes_at_once_is_bounded_too() -> None:
    pieces = iter([b"--frame\r\n" + b"x: y\r\n" * MAX_HEAD + b"\r\n"])
    reader = Multipart(ByteStream(lambda _: next(pieces, b"")), boundary="frame")

    with pytest.raises(BrokenStream, match="headers without an end"):
        reader.head()


def test_the_search_for_headers_is_bounded() -> None:
    wire = Wire(b"--frame\r\n" + b"x" * (1 << 20))
    with pytest.raises(BrokenStream):
        multipart(wire).head()

    assert (1 << 20) - len(wire.rest) < 2 * MAX_HEAD


@pytest.mark.parametrize("length", ["1001", "1000000000", "9" * 5000])
def test_a_part_that_is_too_large_is_not_read(length: str) -> None:
    wire = Wire(f"--frame\r\nContent-Length: {length}\r\n\r\n".encode() + bytes(2000))
    reader = multipart(wire, max_part=1000)
    reader.head()

    with pytest.raises(BrokenStream) as caught:
        reader.body()

    assert caught.value.status == 413
    assert len(wire.rest) > 1000


@pytest.mark.parametrize("start", [b"\xff\xd8", b"\x89PNG"])
def test_a_part_without_an_end_is_given_up(start: bytes) -> None:
    wire = Wire(b"--frame\r\n\r\n" + start + bytes(5000))
    reader = multipart(wire, max_part=1000)
    reader.head()

    with pytest.raises(BrokenStream) as caught:
        reader.body()

    assert caught.value.status == 413
    assert len(wire.rest) > 3000


def test_what_lies_between_parts_is_skipped_but_not_for_ever() -> None:
    junk = framepost(JPEGS[0]) + b"junk" * 100
    assert parts(junk + framepost(JPEGS[1]), max_part=2000) == JPEGS[:2]

    with pytest.raises(BrokenStream, match="no boundary in 2000 bytes"):
        parts(junk + b"junk" * 600, max_part=2000)


def test_after_junk_no_more_of_it_is_waited_for() -> None:
    wire = Wire(framepost(JPEGS[0]) + b"junk" * 100, ended=False)
    reader = multipart(wire)
    for jpeg in JPEGS[1:]:
        reader.head()
        reader.body()
        wire.rest += framepost(jpeg)
    reader.head()

    assert reader.body() == JPEGS[-1]


@pytest.mark.parametrize("cut", range(10, len(framepost(JPEGS[0])) - 2, 97))
def test_half_a_part_at_the_end_is_told_from_an_end(cut: int) -> None:
    with pytest.raises(CutOff):
        parts(framepost(JPEGS[0])[:cut])


def test_nothing_at_all_is_an_end() -> None:
    assert parts(b"") == parts(b"", None) == []


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_cut_into_pieces_gives_the_same_parts(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(FORMS))
    body = b"".join(map(form, JPEGS))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(body) - 1), max_size=12)))
    pieces = iter([body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)])
    reader = Multipart(ByteStream(lambda _: next(pieces, b"")), boundary=None)

    for jpeg in JPEGS:
        reader.head()
        assert reader.body() == jpeg
