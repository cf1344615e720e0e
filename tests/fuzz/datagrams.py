"""What a receiver reads of strangers' datagrams, and what it makes of them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress

from receiver.listeners.assembly import Assembly
from shared.datagram import HEAD, BadDatagram, Cut, Head, payload_of, read_head, stream_of
from shared.datagram_body import Body
from shared.datagram_parity import parities
from shared.datagram_seal import SEAL, Seal, name_in
from tests.fuzz.target import Target, check

_LIMIT = 4096
_HELD = 4 * _LIMIT


def _split(data: bytes) -> Iterator[bytes]:
    """Cut `data` into datagrams, each behind its length."""
    at = 0
    while at + 2 <= len(data):
        size = int.from_bytes(data[at : at + 2], "big")
        yield data[at + 2 : at + 2 + size]
        at += 2 + size


def _assemble(data: bytes) -> None:
    assembly = Assembly(max_held=_HELD)
    seal = Seal(bytes(32))
    came = 0
    for datagram in _split(data):
        with suppress(BadDatagram):
            head = read_head(datagram, max_length=_LIMIT)
            if head.is_sealed and len(datagram) >= HEAD + SEAL:
                check(len(name_in(datagram)) == len(seal.name), "a key has a name")
                check(not seal.fits(datagram), "nobody guesses a seal")
            payload = payload_of(head, datagram, behind=SEAL if head.is_sealed else 0)
            came += 1
            whole = assembly.put(head, payload)
            if whole is not None:
                body = whole.body
                check(len(body.picture) <= _LIMIT, "no frame is larger than was claimed")
                again = body.pack(stream=head.stream, seq=head.seq)
                check(len(again) == head.cut.length, "a frame is as long as was claimed")
                whole.taken()
        check(0 <= assembly.held <= _HELD, "what is begun is bounded")
    check(sum(assembly.datagrams.values()) == came, "every datagram is counted once")


def _framed(datagrams: Iterable[bytes]) -> bytes:
    return b"".join(struct.pack(">H", len(each)) + each for each in datagrams)


def _sent(seq: int, size: int, *, parity: int = 0, room: int = 300) -> list[bytes]:
    stream = stream_of("cam1", "e1")
    data = Body("cam1", b'{"seq":%d}' % seq, bytes(size)).pack(stream=stream, seq=seq)
    cut = Cut.even(len(data), room, parity)
    made = []
    for is_parity, pieces in (
        (False, [data[at : at + cut.chunk] for at in range(0, cut.length, cut.chunk)]),
        (True, parities(data, cut) if parity else []),
    ):
        head = Head(cut, stream, seq, 7, is_parity=is_parity)
        for part, piece in enumerate(pieces):
            datagram = bytearray(HEAD) + piece
            head.write_into(datagram, 0, part)
            made.append(bytes(datagram))
    return made


_FIRST, _SECOND = _sent(1, 1000, parity=2), _sent(2, 900)

TARGETS = {
    "datagrams": Target(
        _assemble,
        (
            _framed(_FIRST + _SECOND),
            _framed(_FIRST[1:] + _FIRST[:1] + _SECOND[::-1]),
            _framed(_sent(2**32 - 1, 10) + _sent(0, 10)),
        ),
    ),
}
