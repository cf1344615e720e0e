"""What is fuzzed: all targets; here those of what comes over RTSP, and of the spool."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

from sender.rtsp import rtcp, transport
from sender.rtsp.depacketiser import make_depacketiser
from sender.rtsp.inbox import Inbox
from sender.rtsp.login import Login, read_challenges
from sender.rtsp.message import Garbled, Unusual, read_head
from sender.rtsp.nal import START_CODE
from sender.rtsp.order import Order
from sender.rtsp.rtp import RtpPacket
from sender.rtsp.sdp import Description, base_of
from sender.rtsp.unit import Unreadable
from sender.spool.record import pack, unpack
from sender.spool.segment import SegmentReader
from shared import wire
from shared.frame import EncodedFrame
from tests.fuzz import datagrams, keeping, receiving
from tests.fuzz.target import Target, check

_DEPTH = 4


def _framed(packets: Iterable[bytes]) -> bytes:
    return b"".join(struct.pack(">H", len(packet)) + packet for packet in packets)


def _packets(data: bytes) -> Iterator[RtpPacket]:
    """Cut `data` into packets, each behind its length; one millisecond apart."""
    at = 0
    while at + 2 <= len(data):
        size = int.from_bytes(data[at : at + 2], "big")
        packet = RtpPacket.parse(data[at + 2 : at + 2 + size], at / 1000)
        if packet is not None:
            yield packet
        at += 2 + size


def _rtp(seq: int, payload: bytes, *, time: int = 0, marker: bool = False, ssrc: int = 7) -> bytes:
    return struct.pack(">BBHII", 0x80, 96 | marker << 7, seq, time, ssrc) + payload


def _picture(payloads: Iterable[bytes], *, seq: int = 0, time: int = 0) -> list[bytes]:
    *others, last = payloads
    packets = [_rtp(seq + place, payload, time=time) for place, payload in enumerate(others)]
    return [*packets, _rtp(seq + len(others), last, time=time, marker=True)]


def _depacketise(codec: Literal["H264", "H265", "JPEG"]) -> Callable[[bytes], None]:
    def run(data: bytes) -> None:
        order, depacketiser = Order(depth=_DEPTH), make_depacketiser(codec, {})
        most = 0
        with suppress(Unreadable):
            for packet in _packets(data):
                # A byte may become a NAL unit with a header and a start code.
                most += 1024 + 8 * len(packet.payload)
                for ordered, gap in order.put(packet):
                    for unit in depacketiser.put(ordered, gap=gap):
                        most -= len(unit.data)
                        check(unit.is_damaged or len(unit.data) > 0, "a sound unit has data")
                        if codec == "JPEG":
                            check(unit.data[-2:] in (b"", b"\xff\xd9"), "a JPEG has an end")
                        else:
                            check(unit.data[:4] in (b"", START_CODE), "a NAL unit has a start")
                        check(0 <= unit.timestamp < 2**32, "a time has 32 bits")
        check(most >= 0, "no more comes out than went in")

    return run


def _spool(data: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        left, last = len(data), -1
        with SegmentReader(Path(file.name)) as reader:
            while (record := reader.next(last + 1, 2**64)) is not None:
                number, body = record
                left -= len(body)
                check(number > last, "numbers rise")
                last = number
                frame = unpack(body, "cam1", is_own=False)
                if frame is not None:
                    head = "".join(wire.to_headers(frame).values())
                    check(head.isprintable(), "a header is a line")
                    check(len(frame.data) > 0, "a frame has a picture")
        check(left >= 0, "no more comes out than went in")
        check(reader.sound <= len(data), "what is sound is in the file")


def _order(data: bytes) -> None:
    order = Order(depth=_DEPTH)
    came = {id(packet): packet for packet in _packets(data)}
    left: list[RtpPacket] = []
    for packet in came.values():
        left += [one for one, _ in order.put(packet)]
        waiting = len(came) - len(left)
        check(order.deadline() is None or waiting > 0, "only what waits has a deadline")
    left += [one for one, _ in order.overdue(float("inf"))]
    check(order.deadline() is None, "nothing waits for ever")
    check(len({id(one) for one in left}) == len(left), "no packet is handed on twice")
    check(all(id(one) in came for one in left), "no packet is made up")


def _message(data: bytes) -> None:
    with suppress(Garbled):
        message = read_head(data)
        check(message.body_length >= 0, "a body has a length")
        check(message.cseq is None or message.cseq >= 0, "a number counts")


def _inbox(data: bytes) -> None:
    inbox = Inbox()
    inbox.listen_to((0, 1))
    step = 1 + data[0] if data else 1
    for at in range(0, len(data), step):
        piece = data[at : at + step]
        room = inbox.room()
        room[: len(piece)] = piece
        inbox.take(len(piece), 0.0)
        *others, last = inbox.items or (None,)
        check(not any(isinstance(item, Garbled) for item in others), "garbled comes last")
        if isinstance(last, Garbled):
            return


def _description(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    base = base_of("rtsp://camera/stream", text.split("\n", 2)[:2])
    with suppress(Unusual, Unreadable):
        description = Description.parse(text, base=base)
        if description is not None:
            video = description.video
            make_depacketiser(video.codec, video.parameters)
            check(video.control.isprintable(), "a URL is fit for a request")


def _reports(data: bytes) -> None:
    clock = rtcp.SenderClock(90_000)
    for report in rtcp.read(data):
        if isinstance(report, rtcp.SenderReport):
            clock.put(report)
            clock.unix(report.timestamp + 1)


def _login(data: bytes) -> None:
    values = data.decode("utf-8", "surrogateescape").split("\n")
    login = Login("user", "secret")
    if login.answer(read_challenges(values)):
        answer = login.authorization("DESCRIBE", "rtsp://camera/stream") or ""
        check("secret" not in answer, "a password is never sent as it is")


def _session(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    way = transport.Transport.parse(text)
    name = transport.SessionName.parse(text)
    check(name is None or name.timeout > 0, "a session lasts")
    if way is not None and way.channels is not None:
        check(max(way.channels) < 256, "a channel is a byte")


_H264 = _picture(
    (
        b"\x78\0\4\x67\x42\0\x1e\0\4\x68\xce\x38\x80",
        b"\x06\x06\x01\xc4\x80",
        b"\x7c\x85\x88ab",
        b"\x7c\x05cd",
        b"\x7c\x45ef",
    )
)
_H265 = _picture(
    (
        b"\x60\1\0\4\x40\1ab\0\4\x42\1ab\0\4\x44\1ab",
        b"\x62\1\x93\xafab",
        b"\x62\1\x13cd",
        b"\x62\1\x53ef",
    )
)
_JPEG = _picture((b"\0\0\0\0\1\x50\x14\x0fabcd", b"\0\0\0\4\1\x50\x14\x0fefgh"))
_JPEG_TABLES = _picture(
    (
        b"\0\0\0\0\x41\xff\x14\x0f\0\1\xff\xff\0\0\0\x80" + bytes(range(128)) + b"abcd",
        b"\0\0\0\4\x41\xff\x14\x0f\0\1\xff\xffefgh",
    )
)
_SDP = (
    b"rtsp://camera/stream/\n\nv=0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\n"
    b"a=rtpmap:96 H264/90000\r\n"
    b"a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0IAHg==,aM4=\r\n"
    b"a=framerate:25\r\na=control:trackID=0\r\n"
)
_SDP_H265 = (
    b"\n\nm=video 0 RTP/AVP 26 97\na=rtpmap:97 H265/90000\n"
    b"a=fmtp:97 sprop-vps=QAEM;sprop-sps=QgEB;sprop-pps=RAHA;sprop-max-don-diff=0\n"
)
_REPLY = (
    b"RTSP/1.0 401 Unauthorized\r\nCSeq: 2\r\nContent-Length: 4\r\n"
    b'WWW-Authenticate: Digest realm="a", nonce="b"'
)


def _record(number: int) -> bytes:
    return pack(
        number,
        EncodedFrame(
            camera="cam1",
            epoch="e1",
            seq=number,
            captured_at=1_700_000_000.5,
            data=b"\xff\xd8jpeg\xff\xd9",
            width=64,
            height=48,
            arrived=1000.0,
            trace="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
    )


TARGETS = {
    "spool": Target(
        _spool,
        (
            b"".join(map(_record, range(4))),
            _record(7)[:-3] + _record(8) + b"\xf5Fp1" + _record(9),
            _record(3) + _record(3) + _record(2),
        ),
    ),
    "h264": Target(
        _depacketise("H264"),
        (_framed(_H264), _framed(_H264 + _picture([b"\x41\x9aab"], seq=5, time=3600))),
    ),
    "h265": Target(
        _depacketise("H265"),
        (_framed(_H265), _framed(_H265 + _picture([b"\x02\1\xafab"], seq=4, time=3600))),
    ),
    "jpeg": Target(_depacketise("JPEG"), (_framed(_JPEG), _framed(_JPEG_TABLES))),
    "order": Target(
        _order,
        (
            _framed(_rtp(seq, b"") for seq in (65534, 0, 65535, 1, 1, 9, 20, 21, 40000, 40001)),
            _framed(_rtp(seq, b"", ssrc=seq & 1) for seq in range(6)),
        ),
    ),
    "message": Target(_message, (_REPLY, b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n continued")),
    "inbox": Target(
        _inbox, (_REPLY + b"\r\n\r\nbody" + b"$\0\0\x0c" + _rtp(1, b""), b"$\1\0\4abcdRTSP/1.0")
    ),
    "description": Target(_description, (_SDP, _SDP_H265)),
    "reports": Target(
        _reports,
        (
            struct.pack(">BBHIQIII", 0x80, 200, 6, 7, 1 << 63, 90_000, 1, 1)
            + struct.pack(">BBHI", 0x81, 203, 1, 7),
        ),
    ),
    "login": Target(
        _login,
        (
            b'Digest realm="a", nonce="b", qop="auth,auth-int", algorithm=SHA-256, stale=true\n'
            b'Basic realm="\\"x"',
        ),
    ),
    "session": Target(
        _session,
        (
            b"RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=1",
            b"12345;timeout=60",
            b"RTP/AVP;server_port=1",
        ),
    ),
    **receiving.TARGETS,
    **datagrams.TARGETS,
    **keeping.TARGETS,
}
