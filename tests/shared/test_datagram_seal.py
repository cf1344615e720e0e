from __future__ import annotations

import hashlib

from shared.datagram_seal import SEAL, Seal, name_in

TOKEN = "0123456789abcdef"


def sealed(seal: Seal, data: bytes) -> bytearray:
    buffer = bytearray(data) + bytes(SEAL)
    seal.write_into(buffer, 0, len(data))
    return buffer


def test_what_was_sealed_fits_also_for_one_who_has_only_the_token_s_digest() -> None:
    datagram = sealed(Seal.of(TOKEN), b"head and piece")
    other = Seal(hashlib.sha256(TOKEN.encode()).digest())

    assert other.fits(bytes(datagram))
    assert name_in(datagram) == other.name


def test_each_flipped_bit_breaks_the_seal() -> None:
    seal = Seal.of(TOKEN)
    datagram = sealed(seal, b"head and piece")
    named = len(datagram) - SEAL
    for bit in range(8 * len(datagram)):
        if named <= bit // 8 < named + len(seal.name):
            continue  # the name is what the key is found by
        flipped = bytearray(datagram)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not seal.fits(flipped)


def test_another_token_has_another_seal_and_nothing_says_the_token() -> None:
    datagram = sealed(Seal.of(TOKEN), b"head and piece")

    assert not Seal.of(TOKEN + "x").fits(datagram)
    assert Seal.of(TOKEN).name != Seal.of(TOKEN + "x").name
    assert TOKEN.encode() not in datagram
    assert hashlib.sha256(TOKEN.encode()).digest()[:4] not in bytes(datagram)
