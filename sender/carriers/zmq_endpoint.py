"""ZmqEndpoint: which of imageZMQ's hubs a camera's frames go to, or where they are published."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, cast

from sender.endpoint import Endpoint
from shared import wire
from shared.curve import CLIENT_OPTIONS, SERVER_OPTIONS, Curve
from shared.frame import EncodedFrame
from shared.zmq_url import PUBLISH, ZmqUrl, choose

#: What a hub calls: recv_jpg() or recv_image().
Form = Literal["jpg", "image"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZmqEndpoint(Endpoint):
    """An Endpoint whose `target` is the camera's name, the text that goes with each picture."""

    url: ZmqUrl
    kind: Form
    curve: Curve | None = field(repr=False)

    @classmethod
    def read(cls, to: str, camera: str, *, digest: bool = False) -> ZmqEndpoint:
        """Read `to`; raise ValueError that says what was expected."""
        is_server = to.partition("://")[0].lower() == PUBLISH
        keys = SERVER_OPTIONS if is_server else CLIENT_OPTIONS
        more = ("insecure",) if is_server else ()
        url = ZmqUrl.parse(to, options=("form", *keys, *more))
        form = cast("Form", choose(url.options, "form", "jpg", "image"))
        if form == "image" and digest:
            raise ValueError("form: expected jpg with --digest, got image")
        curve = Curve.read(url.options, is_server=is_server)
        may_all = url.is_local or choose(url.options, "insecure", "no", "yes") == "yes"
        if is_server and curve is None and not may_all:
            raise ValueError(
                "expected CURVE keys (?secret=FILE&clients=FOLDER) for whoever comes from other"
                f" machines, got {url.shown} and none; insecure=yes if all may watch"
            )
        return cls(
            host=url.host,
            port=url.port,
            tls=False,
            target=camera,
            shown=url.shown,
            digest=digest,
            url=url,
            kind=form,
            form="rgb" if form == "image" else "jpeg",
            curve=curve,
        )

    @property
    def is_published(self) -> bool:
        """Whether whoever likes may come and take them; else they are brought to one hub."""
        return self.url.scheme == PUBLISH

    def advice(self, status: int) -> str:
        return ""  # no token is known here

    def request(self, frame: EncodedFrame) -> tuple[dict[str, str], bytes]:
        """Return the envelope, as headers, and the JPEG or the pixels."""
        return wire.to_headers(frame, digest=self.digest), frame.data
