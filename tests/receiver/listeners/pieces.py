"""Pieces: frames as the datagrams that a sender makes of them."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sender.carriers.udp_carrier import UdpCarrier
from sender.carriers.udp_endpoint import UdpEndpoint
from shared.datagram import Head, payload_of, read_head
from shared.datagram_seal import SEAL
from shared.frame import EncodedFrame

MAX_LENGTH = 1 << 20


@dataclass(frozen=True)
class Piece:
    head: Head
    payload: bytes


def datagrams(frame: EncodedFrame, options: str = "", *, token: str | None = None) -> list[bytes]:
    """Return what our sender sends of the frame: first the pieces, then their parity."""
    endpoint = UdpEndpoint.read(f"udp://127.0.0.1:9{options}", frame.camera, token=token)
    headers, body = endpoint.request(frame)
    return UdpCarrier(endpoint).datagrams(frame.camera, body, headers)


def pieces(frame: EncodedFrame, options: str = "") -> list[Piece]:
    found = []
    for datagram in datagrams(frame, options):
        head = read_head(datagram, max_length=MAX_LENGTH)
        behind = SEAL if head.is_sealed else 0
        found.append(Piece(head, payload_of(head, datagram, behind=behind)))
    return found


def noisy(
    seq: int = 0, *, size: int = 20_000, camera: str = "cam1", epoch: str = "e1"
) -> EncodedFrame:
    """Return a frame whose bytes are no picture, but each another."""
    data = bytes((seq + at * at // 7) % 256 for at in range(size))
    return EncodedFrame(
        camera=camera,
        epoch=epoch,
        seq=seq,
        captured_at=time.time(),
        data=data,
        width=64,
        height=48,
    )
