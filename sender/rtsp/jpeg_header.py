"""JPEG headers: what RTP leaves out of a picture, written anew (RFC 2435, 3.1 and 4.2)."""

from __future__ import annotations

import struct
from functools import lru_cache

#: Quantisation tables in zigzag order, luma's first: 64 bytes, or 64 numbers of 16 bits.
Tables = tuple[bytes, ...]

END = b"\xff\xd9"

_BLOCK = 64
#: ITU-T T.81, tables K.1 and K.2, in zigzag order.
_LUMA = bytes.fromhex(
    "100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933"
    "383740485c4e404457453738506d51575f626768673e4d71797064785c656763"
)
_CHROMA = bytes.fromhex("1112121815182f1a1a2f63423842") + bytes([99]) * 50

#: ITU-T T.81, tables K.3 to K.6: class and number, how many codes of each length, values.
_HUFFMAN = b"".join(
    bytes.fromhex(table)
    for table in (
        "00 00010501010101010100000000000000 000102030405060708090a0b",
        "10 0002010303020403050504040000017d"
        "01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a16"
        "1718191a25262728292a3435363738393a434445464748494a535455565758595a63646566676869"
        "6a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6"
        "b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa",
        "01 00030101010101010101010000000000 000102030405060708090a0b",
        "11 00020102040403040705040400010277"
        "000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434"
        "e125f11718191a262728292a35363738393a434445464748494a535455565758595a636465666768"
        "696a737475767778797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4"
        "b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa",
    )
)
#: Version 1.1, no density.
_JFIF = b"JFIF\0" + bytes([1, 1, 0, 0, 1, 0, 1, 0, 0])
#: Three components, their Huffman tables, the whole spectrum in one scan.
_SCAN = bytes([3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0])


@lru_cache(maxsize=99)
def scaled_tables(quality: int) -> Tables:
    """Return the tables of a Q from 1 to 99 (RFC 2435, 4.2)."""
    factor = 5000 // quality if quality < 50 else 200 - 2 * quality
    return tuple(
        bytes(min(max((value * factor + 50) // 100, 1), 255) for value in table)
        for table in (_LUMA, _CHROMA)
    )


def make_header(
    width: int, height: int, *, luma_rows: int, tables: Tables, restart_interval: int
) -> bytes:
    """Return all of a JPEG that stands before its entropy-coded data.

    Luma is sampled twice as often across as chroma, and `luma_rows` (1 or 2) times as often down.
    One table serves luma and chroma; of more than two the others are left out. A
    `restart_interval` of 0 means that there are no restart markers.
    """
    tables = tables[:2]
    is_deep = any(len(table) > _BLOCK for table in tables)
    parts = [b"\xff\xd8", _segment(0xE0, _JFIF)]
    for number, table in enumerate(tables):
        parts.append(_segment(0xDB, bytes([(len(table) > _BLOCK) << 4 | number]) + table))
    components = bytes([3, 1, 2 << 4 | luma_rows, 0])
    for component in (2, 3):
        components += bytes([component, 0x11, len(tables) - 1])
    # Baseline has tables of 8 bits only; extended sequential has both.
    parts.append(
        _segment(0xC1 if is_deep else 0xC0, struct.pack(">BHH", 8, height, width) + components)
    )
    parts.append(_segment(0xC4, _HUFFMAN))
    if restart_interval:
        parts.append(_segment(0xDD, struct.pack(">H", restart_interval)))
    parts.append(_segment(0xDA, _SCAN))
    return b"".join(parts)


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content
