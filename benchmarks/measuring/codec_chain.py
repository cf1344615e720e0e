"""CodecChain: what one camera frame takes where nothing is transported."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.measuring import feed
from benchmarks.measuring.contest import Turn
from benchmarks.rivals.options import QUALITY
from camera.encoder import Picture, VideoEncoder
from sender.rtsp.decoder import Decoder
from sender.rtsp.unit import AccessUnit
from shared import codec

_UNITS = 100


@dataclass(frozen=True, slots=True)
class CodecChain:
    """A contestant in this process: H.264 decoding, JPEG encoding, JPEG decoding, at `fps`."""

    name: str
    clip: str | None
    width: int
    height: int
    fps: float

    def run(self, seconds: float) -> Turn:
        """Raise ValueError where a frame does not decode."""
        latencies: list[float] = []
        cpu = 0.0
        decoder = Decoder("H264")
        units = self._units(self._encode())
        end = time.monotonic() + seconds
        for number, unit in enumerate(units):
            # At the camera's pace: caches are as cold, and clocks as low, as on the way.
            time.sleep(1 / self.fps)
            if time.monotonic() > end:
                break
            started, spent = time.perf_counter(), time.process_time()
            decoded = decoder.decode(unit)
            if len(decoded) != 1:
                raise ValueError(f"expected one picture of frame {number}, got {len(decoded)}")
            codec.decode(decoded[0].picture.to_jpeg(QUALITY))
            latencies.append(time.perf_counter() - started)
            cpu += time.process_time() - spent
        decoder.close()
        return Turn(
            seconds=seconds,
            frames=len(latencies),
            illegible=0,
            repeated=0,
            missing=0,
            latencies=tuple(latencies),
            cpu={"codecs": cpu},
            memory={"codecs": 0},
        )

    def _encode(self) -> list[Picture]:
        """Return some of the camera's frames, the first one a key frame."""
        images = feed.endless(feed.load(self.clip, self.width, self.height))
        encoder = VideoEncoder(
            "h264", self.width, self.height, fps=self.fps, gop=round(self.fps), bitrate=None
        )
        return [encoder.encode(next(images), key=n == 0) for n in range(_UNITS)]

    def _units(self, pictures: Sequence[Picture]) -> Iterator[AccessUnit]:
        """Yield the frames again and again."""
        timestamp = 0
        while True:
            for each in pictures:
                timestamp += 3600
                yield AccessUnit(each.data, timestamp, each.key, False, time.monotonic())
