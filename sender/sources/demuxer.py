"""Demuxer: FFmpeg, through PyAV, reading the pictures of one video stream."""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import av
import av.error
from av.codec.context import Flags, ThreadType
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from sender.picture import JpegPicture, Picture, VideoPicture
from sender.sources.attempt import Attempt, Overdue
from sender.sources.contract import Shot, SourceError
from sender.sources.events import Observe, Offered, Unit
from sender.sources.interrupt import Interrupt
from sender.sources.trouble import TROUBLE, explain
from shared.errors import FrameError

#: A viewer that comes in the middle may see nothing until the next key frame, and cameras that save
#: bandwidth send few.
KEY_FRAME_WAIT = 10.0


@dataclass(frozen=True, slots=True)
class Timed:
    """A shot, and its place in the stream's own time in seconds, if it has one."""

    shot: Shot
    at: float | None


@dataclass(frozen=True, slots=True)
class Film:
    """What a container says about its video; None where it does not say."""

    format: str
    fps: float | None
    frames: int | None
    seconds: float | None


class Demuxer:
    """Read pictures one at a time; nothing is read ahead.

    A picture's `captured` is the moment when its own packet had been read, before it was
    decoded; it stays with the picture where the decoder reorders. A `live` one decodes without
    delay, and waits for a packet at most `read_timeout` seconds.
    """

    def __init__(
        self,
        name: str,
        interrupt: Interrupt,
        *,
        open_timeout: float,
        read_timeout: float,
        live: bool = True,
        observe: Observe | None = None,
    ) -> None:
        self._name = name
        self._interrupt = interrupt
        self._open_timeout = open_timeout
        self._read_timeout = read_timeout
        self._live = live
        self._observe = observe
        self._container: InputContainer | None = None
        self._packets: Iterator[Packet[VideoStream]] = iter(())
        self._ready: deque[Timed] = deque()
        self._lost = 0
        #: Something is wrong or missing that pictures build upon, up to the next key frame.
        self._is_broken = False

    def open(
        self, url: str, options: Mapping[str, str] | None = None, *, host: str | None = None
    ) -> Film:
        """Open `url`, whose `host` has to be known, and its first video; raise SourceError."""
        wanted = dict(options or {})

        def connect() -> InputContainer:
            if host is not None:
                socket.getaddrinfo(host, None)
            limits = (self._open_timeout, self._read_timeout)
            return av.open(url, "r", options=wanted, timeout=limits)

        attempt = Attempt(connect, discard=InputContainer.close, name=f"opening {self._name}")
        trouble: Exception | None = None
        until = time.monotonic() + self._open_timeout
        try:
            self._container = attempt.run(self._open_timeout, self._interrupt)
        except TROUBLE as exc:
            # When its time is up FFmpeg may as well call what it did not get "invalid data".
            trouble = exc if time.monotonic() < until else TimeoutError()
        except Overdue:
            trouble = TimeoutError()
        # Outside the handlers: FFmpeg's exception names the URL, and is to be in no chain.
        if trouble is not None:
            raise explain(trouble, self._name)
        assert self._container is not None
        videos = self._container.streams.video
        if not videos:
            self.close()
            raise SourceError(f"{self._name}: there is no video in it", reason="format")
        video = videos[0]
        self._prepare(video)
        self._packets = self._container.demux(video)
        rate = video.average_rate or video.guessed_rate
        if self._observe is not None:
            context = video.codec_context
            fps = float(rate) if rate else None
            self._observe(Offered("ffmpeg", context.name, context.profile or "", fps=fps))
        return Film(
            format=self._container.format.name,
            fps=float(rate) if rate else None,
            frames=video.frames or None,
            # Kept in microseconds.
            seconds=self._container.duration / 1e6 if self._container.duration else None,
        )

    def read(self) -> Timed | None:
        """Return the next picture, or None at the end of the stream; raise SourceError."""
        deadline = time.monotonic() + max(KEY_FRAME_WAIT, self._read_timeout)
        while not self._ready:
            self._interrupt.check()
            packet, trouble = self._next_packet()
            if trouble is not None:
                raise explain(trouble, self._name)
            if packet is None:
                return None
            now = time.monotonic()
            if self._observe is not None and packet.size:
                self._observe(Unit(packet.size, packet.is_keyframe, now))
            self._decode(packet, now)
            if self._live and time.monotonic() > deadline:
                raise SourceError(
                    f"{self._name}: packets come, but for {KEY_FRAME_WAIT:.0f} s no picture",
                    reason="format",
                )
        return self._ready.popleft()

    def close(self) -> None:
        """Let go of everything; may be called twice."""
        self._ready.clear()
        self._packets = iter(())
        self._lost = 0
        container, self._container = self._container, None
        if container is not None:
            container.close()

    def _prepare(self, stream: VideoStream) -> None:
        context = stream.codec_context
        context.copy_opaque = True
        if self._live:
            context.flags |= Flags.low_delay
            # Frames that began in the middle are shown, and marked: the reader decides.
            context.flags |= Flags.output_corrupt
            # Threads for each frame would hold back as many frames as there are threads.
            context.thread_type = ThreadType.SLICE
        else:
            context.thread_type = ThreadType.AUTO

    def _next_packet(self) -> tuple[Packet[VideoStream] | None, Exception | None]:
        try:
            return next(self._packets, None), None
        except TROUBLE as exc:
            return None, exc

    def _decode(self, packet: Packet[VideoStream], read_at: float) -> None:
        jpeg = self._as_jpeg(packet)
        if jpeg is not None:
            self._put(jpeg, _seconds(packet), read_at, corrupt=packet.is_corrupt)
            return
        packet.opaque = read_at
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            self._lost += 1
            self._is_broken = True
            return
        for frame in frames:
            if isinstance(frame, VideoFrame):
                moment = frame.opaque if isinstance(frame.opaque, float) else read_at
                # FFmpeg marks the picture in which it met damage, and few that build upon it.
                if frame.is_corrupt or packet.is_corrupt:
                    self._is_broken = True
                elif frame.key_frame:
                    self._is_broken = False
                self._put(VideoPicture(frame), frame.time, moment, corrupt=self._is_broken)

    def _put(self, picture: Picture, at: float | None, read_at: float, *, corrupt: bool) -> None:
        lost, self._lost = self._lost, 0
        self._ready.append(Timed(Shot(picture, read_at, corrupt, lost), at))

    @staticmethod
    def _as_jpeg(packet: Packet[VideoStream]) -> JpegPicture | None:
        """Return a Motion JPEG packet's own bytes where they make a JPEG for everybody."""
        if packet.stream.codec_context.name != "mjpeg" or packet.size == 0:
            return None
        data = bytes(packet)
        # Recordings leave out the Huffman tables that "everybody knows".
        if b"\xff\xc4" not in data[:4096]:
            return None
        try:
            return JpegPicture.read(data)
        except FrameError:
            return None


def _seconds(packet: Packet[VideoStream]) -> float | None:
    if packet.pts is None or packet.time_base is None:
        return None
    return float(packet.pts * packet.time_base)
