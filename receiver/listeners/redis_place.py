"""RedisPlace: which Redis a listener listens to, on which topic, and what it writes there."""

from __future__ import annotations

from dataclasses import dataclass

from shared.redis_url import RedisUrl

#: What a URL may say besides where the Redis is.
OPTIONS = ("topic", "result", "receive_time", "expire")
#: Seconds for which what we wrote stays there.
EXPIRE = 60.0
_PATTERN = frozenset("*?[")
_MOST_LETTERS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisPlace:
    """One `--listen`. Names of keys are "" where nothing is to be written."""

    url: RedisUrl
    topic: str
    #: The key of a camera's newest result; `{camera}` in it is the camera's name.
    result: str
    #: The key of the time at which a picture last came.
    receive_time: str
    #: Seconds.
    expire: float

    @classmethod
    def parse(cls, text: str) -> RedisPlace:
        """Raise ValueError that says what was expected, and holds no password."""
        url = RedisUrl.parse(text, options=OPTIONS)
        topic = url.options.get("topic", "img0")
        if not 1 <= len(topic) <= _MOST_LETTERS:
            raise ValueError(f"topic: expected a name, got {topic[:40]!r}")
        return cls(
            url=url,
            topic=topic,
            result=url.options.get("result", "result"),
            receive_time=url.options.get("receive_time", "receive_time"),
            expire=url.seconds("expire", EXPIRE),
        )

    @property
    def is_pattern(self) -> bool:
        """Whether the topic stands for several, as in img*."""
        return not _PATTERN.isdisjoint(self.topic)

    @property
    def shown(self) -> str:
        """What people call it: no two listeners have the same."""
        return f"{self.url.shown}?topic={self.topic}"

    @property
    def lacks(self) -> str:
        return ""  # nobody comes to us: who may write there is that Redis' matter
