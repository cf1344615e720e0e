"""Parity: the exclusive or of some pieces, which replaces any one of them that got lost."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from shared.datagram import Cut


def parities(data: bytes, cut: Cut) -> list[bytes]:
    """Return the parity of each group of the pieces of `data`, as long as a whole piece.

    A piece that is shorter counts as if zeros followed it.
    """
    groups = cut.groups
    rows = -(-cut.parts // groups)
    padded = np.zeros((rows, groups, cut.chunk), np.uint8)
    padded.reshape(-1)[: cut.length] = np.frombuffer(data, np.uint8)
    return [row.tobytes() for row in np.bitwise_xor.reduce(padded, axis=0)]


def restore(pieces: Iterable[bytes], size: int) -> bytes:
    """Return the piece of `size` bytes that is missing; `pieces` are the others and the parity."""
    found = 0
    # As little-endian numbers, in which the zeros behind a shorter one need not be there.
    for piece in pieces:
        found ^= int.from_bytes(piece, "little")
    length = (found.bit_length() + 7) // 8
    return found.to_bytes(max(size, length), "little")[:size]
