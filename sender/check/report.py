"""Report: what the findings come to, as JSON says it and as a sheet shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from sender.check.findings import Findings
from sender.check.profile import name_codec, read_profile

Clock = Literal["set", "not set", "unknown"]

#: A camera's clock that differs by more, in seconds, counts as not set; as the sender has it.
PLAUSIBLE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a source offers. None is what could not be found out; `*_ms` are milliseconds."""

    server: str
    #: "direct", "ffmpeg" or "http"; None for what is at this machine.
    reader: str | None
    #: Why it is not the direct one, where that had a try.
    taken_over: str | None
    transport: Literal["tcp", "udp"] | None
    codec: str | None
    profile: str | None
    width: int | None
    height: int | None
    fps_announced: float | None
    fps: float | None
    #: Between two key pictures, the longest; None when fewer than two came.
    key_seconds: float | None
    key_pictures: int | None
    keys: int
    bits_per_second: float | None
    connected_ms: float | None
    first_packet_ms: float | None
    first_picture_ms: float | None
    #: Between the arrivals of two pictures.
    gap_p50_ms: float | None
    gap_p95_ms: float | None
    gap_worst_ms: float | None
    packets: int | None
    packets_lost: int | None
    pictures: int
    #: Decoded, and wrong; and not decoded at all.
    pictures_damaged: int
    pictures_lost: int
    seconds: float
    clock: Clock
    #: Seconds that the camera's clock is behind ours, transport included; None when it told none.
    clock_behind: float | None

    @classmethod
    def of(cls, found: Findings, *, transport: Literal["tcp", "udp"] | None) -> Report:
        """Work it out; `transport` is RTSP's."""
        offered = found.offered
        captured = found.captured
        seconds = captured[-1] - captured[0] if captured else 0.0
        gaps = sorted(1000 * (later - former) for former, later in pairwise(captured))
        key = _longest_key_gap(found)
        profile = None
        if offered is not None:
            profile = offered.profile or read_profile(offered.codec, offered.parameter_sets)
        return cls(
            server=found.server,
            reader=offered.reader if offered is not None else None,
            taken_over=found.taken_over,
            transport=transport,
            codec=name_codec(offered.codec) if offered is not None else None,
            profile=profile or None,
            width=found.size[0] if found.size else None,
            height=found.size[1] if found.size else None,
            fps_announced=offered.fps if offered is not None else None,
            fps=_rate(captured),
            key_seconds=round(key[0], 2) if key else None,
            key_pictures=key[1] if key else None,
            keys=len(found.keys),
            bits_per_second=_bit_rate(found),
            connected_ms=_since(found, found.connected),
            first_packet_ms=_since(found, found.first_packet),
            first_picture_ms=_since(found, found.first_picture),
            gap_p50_ms=_quantile(gaps, 0.5),
            gap_p95_ms=_quantile(gaps, 0.95),
            gap_worst_ms=_quantile(gaps, 1.0),
            packets=found.packets,
            packets_lost=found.packets_lost,
            pictures=found.pictures,
            pictures_damaged=found.damaged if found.whole else found.leading,
            pictures_lost=found.undecoded,
            seconds=round(seconds, 2),
            clock=_clock(found),
            clock_behind=None if found.clock_lag is None else round(found.clock_lag, 3),
        )


def _longest_key_gap(found: Findings) -> tuple[float, int] | None:
    """Return seconds and pictures of the longest way from one key picture to the next."""
    arrivals = found.arrivals
    gaps = [(arrivals[b] - arrivals[a], b - a) for a, b in pairwise(found.keys)]
    return max(gaps, default=None)


def _rate(captured: Sequence[float]) -> float | None:
    """Return pictures a second in the later half: a stream may begin with a burst of older ones."""
    if len(captured) < 2:
        return None
    middle = (captured[0] + captured[-1]) / 2
    later = [at for at in captured if at >= middle]
    if len(later) < 3:
        later = [*captured]
    seconds = later[-1] - later[0]
    return round((len(later) - 1) / seconds, 2) if seconds > 0 else None


def _bit_rate(found: Findings) -> float | None:
    seconds = found.arrivals[-1] - found.arrivals[0] if found.arrivals else 0.0
    # The last one's time is not over.
    return round(8 * sum(found.sizes[:-1]) / seconds) if seconds > 0 else None


def _since(found: Findings, moment: float | None) -> float | None:
    return None if moment is None else round(1000 * (moment - found.began), 1)


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    if not ordered:
        return None
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


def _clock(found: Findings) -> Clock:
    if found.clock_lag is not None:
        return "set" if abs(found.clock_lag) <= PLAUSIBLE else "not set"
    return "not set" if found.reported else "unknown"
