"""ZmqPlace: where a listener takes frames in imageZMQ's form, and what it replies."""

from __future__ import annotations

from dataclasses import dataclass

from shared.curve import CLIENT_OPTIONS, SERVER_OPTIONS, Curve
from shared.errors import FrameError
from shared.frame import check_camera
from shared.zmq_url import REQUEST, ZmqUrl, choose

_MOST_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ZmqPlace:
    """One `--listen`."""

    url: ZmqUrl
    #: Frames are requests and get replies; or else they are published, and get none.
    has_replies: bool
    #: The result of each frame, or else that it was taken.
    replies_results: bool
    #: Seconds that a reply waits for a result.
    wait: float
    #: The camera of all frames; "" where each frame's text says it.
    camera: str
    curve: Curve | None

    @classmethod
    def parse(cls, text: str) -> ZmqPlace:
        """Raise ValueError that says what was expected."""
        has_replies = text.partition("://")[0].lower() == REQUEST
        names = ("reply", "wait", *SERVER_OPTIONS) if has_replies else CLIENT_OPTIONS
        url = ZmqUrl.parse(text, options=("camera", *names))
        camera = url.options.get("camera", "")
        try:
            if "camera" in url.options:
                check_camera(camera)
        except FrameError as exc:
            raise ValueError(str(exc)) from None
        return cls(
            url=url,
            has_replies=has_replies,
            replies_results=choose(url.options, "reply", "ok", "result") == "result",
            wait=_read_seconds(url.options.get("wait", "10")),
            camera=camera,
            curve=Curve.read(url.options, is_server=has_replies),
        )

    @property
    def shown(self) -> str:
        return self.url.shown

    @property
    def lacks(self) -> str:
        if not self.has_replies or self.curve is not None or self.url.is_local:
            return ""
        return "CURVE keys (?secret=FILE&clients=FOLDER)"


def _read_seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= _MOST_SECONDS:
        raise ValueError(f"wait: expected seconds up to {_MOST_SECONDS:g}, got {text[:40]!r}")
    return value
