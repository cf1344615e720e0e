"""RedisEndpoint: under which key of which Redis a camera's frames are put, and who is told."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from sender.endpoint import Encoding, Endpoint
from shared import wire
from shared.frame import EncodedFrame
from shared.redis_url import RedisUrl

#: What a URL may say besides where the Redis is.
OPTIONS = ("key", "topic", "stop", "expire")
#: Seconds after which nothing is left of a camera that is gone.
EXPIRE = 10.0
_MOST_LETTERS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisEndpoint(Endpoint):
    """An Endpoint whose `target` is the key."""

    url: RedisUrl
    topic: str
    #: While a key of this name is there, nothing is sent; "" for none.
    stop: str
    #: Seconds.
    expire: float

    @classmethod
    def read(
        cls, to: str, camera: str, *, encoding: Encoding = "raw", digest: bool = False
    ) -> RedisEndpoint:
        """Read `to`; `{camera}` in its options becomes the camera's name.

        Raise ValueError that says what was expected.
        """
        url = RedisUrl.parse(to, options=OPTIONS)
        given = {name: value.replace("{camera}", camera) for name, value in url.options.items()}
        key, topic = given.get("key", camera), given.get("topic", "img0")
        for name, value in (("key", key), ("topic", topic)):
            if not 1 <= len(value) <= _MOST_LETTERS:
                raise ValueError(f"{name}: expected a name, got {value[:40]!r}")
        return cls(
            host=url.settings.get("host", ""),
            port=url.settings.get("port", 0),
            tls=url.scheme == "rediss",
            target=key,
            shown=url.shown,
            encoding=encoding,
            digest=digest,
            url=url,
            topic=topic,
            stop=given.get("stop", "stop"),
            expire=url.seconds("expire", EXPIRE),
        )

    def advice(self, status: int) -> str:
        return ""  # the password is no token, and stands in the URL

    def request(self, frame: EncodedFrame) -> tuple[dict[str, str], bytes]:
        """Return the envelope, as headers, and the value."""
        headers = wire.to_headers(frame, digest=self.digest)
        return headers, frame.data if self.encoding == "raw" else base64.b64encode(frame.data)
