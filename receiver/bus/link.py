"""Link: the way to Redis, and whether it works at this moment."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import unquote

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError
from redis.retry import Retry
from redis.sentinel import Sentinel

from shared.errors import FramepostError
from shared.redact import redact
from shared.redis_url import RedisUrl
from shared.trouble import Trouble

logger = logging.getLogger(__name__)

T = TypeVar("T")
#: A connection of redis-py's: Redis, RedisCluster. Its stubs serve two worlds at once, so: Any.
Client = Any

#: What redis-py raises; a cluster's trouble is none of its family.
_TROUBLE = (RedisError, RedisClusterException, OSError)
#: Seconds for a connection, and for an answer.
TIMEOUT = 1.0
#: Seconds that a call may wait for something new, so that TIMEOUT is not mistaken for it.
PATIENCE = 0.25
#: Seconds without a failure before what has failed is trusted again.
_SETTLE = 0.5


_CONFUSED = "something that is none of ours stands under a key of ours"


class BusDown(FramepostError):
    """Raised when Redis did not do what was asked of it."""


class BusRefused(BusDown):
    """Raised when Redis works, but not on this: something else stands under a key of ours."""


class Link:
    """One for a process; any thread. A call that fails marks it down, a `probe` marks it up."""

    def __init__(self, url: str, *, timeout: float = TIMEOUT) -> None:
        """Connect to nothing yet; raise ValueError for a URL that is none of Redis's."""
        self._make, self.shown = _maker(url, timeout)
        self._timeout = timeout
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._up = threading.Event()
        self._sentence: str | None = "not connected yet"
        self._failed_at = 0.0
        self._trouble = Trouble(
            f"bus {self.shown}", over="works again", logger=logger, settle=_SETTLE
        )
        self._confusion = Trouble(f"bus {self.shown}", over="is in order", logger=logger)
        #: How often it went down, and (monotonic) since when it is up.
        self.outages = 0
        self.up_since = 0.0

    @property
    def is_up(self) -> bool:
        return self._up.is_set()

    @property
    def problem(self) -> str | None:
        """Say in a sentence why it does not work; None while it does."""
        return None if self.is_up else f"bus {self.shown}: {self._sentence}"

    def wait(self, seconds: float) -> bool:
        """Wait at most so long for it to be up; say whether it is."""
        return self._up.wait(seconds)

    def call(self, work: Callable[[Client], T]) -> T:
        """Return what `work` returns; raise BusDown where Redis fails it, or is down."""
        if not self.is_up:
            raise BusDown(str(self.problem))
        return self._attempt(work)

    def probe(self, work: Callable[[Client], T]) -> T:
        """As `call`, though it be down; that `work` succeeds means that it is up again."""
        try:
            found = self._attempt(work)
        except BusRefused as exc:
            # Nothing works without what a probe asks for.
            raise BusDown(self._fail(exc)) from None
        with self._lock:
            if not self.is_up and time.monotonic() - self._failed_at >= _SETTLE:
                self._sentence = None
                self.up_since = time.monotonic()
                self._up.set()
        if self.is_up:
            self._trouble.worked()
            self._confusion.worked()
        return found

    def close(self) -> None:
        with self._lock:
            self._up.clear()
            self._sentence = "closed"
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _attempt(self, work: Callable[[Client], T]) -> T:
        try:
            return work(self._connect())
        except _TROUBLE as exc:
            if str(exc).startswith("WRONGTYPE"):
                self._confusion.happened("wrongtype", _CONFUSED)
                raise BusRefused(_CONFUSED) from None
            raise BusDown(self._fail(exc)) from None

    def _connect(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = self._make()
            return self._client

    def _fail(self, exc: Exception) -> str:
        sentence = self._describe(exc)
        with self._lock:
            self.outages += self.is_up
            self._up.clear()
            self._sentence = sentence
            self._failed_at = time.monotonic()
        self._trouble.happened(type(exc).__name__, sentence)
        return f"bus {self.shown}: {sentence}"

    def _describe(self, exc: Exception) -> str:
        if isinstance(exc, redis.AuthenticationError):
            return "refuses the password, or wants one"
        if isinstance(exc, redis.TimeoutError):
            return f"does not answer within {self._timeout:g} s"
        if isinstance(exc, redis.OutOfMemoryError):
            return "is full (maxmemory)"
        if isinstance(exc, redis.BusyLoadingError):
            return "is still loading its data"
        return redact(" ".join(str(exc).split()))[:200] or type(exc).__name__


def check_url(url: str) -> str:
    """Return `url`; raise ValueError for one that names no Redis."""
    _maker(url, TIMEOUT)
    return url


def _maker(text: str, timeout: float) -> tuple[Callable[[], Client], str]:
    """Return what makes a client, and the place for people; raise ValueError."""
    options: dict[str, Any] = {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        # A frame in one go.
        "socket_read_size": 1 << 18,
        # What was sent once is not sent again: a newer frame is the retry.
        "retry": Retry(NoBackoff(), 0),
        # The oldest, in which replies of every version are alike.
        "protocol": 2,
    }
    scheme, _, rest = text.partition("://")
    if scheme == "redis+sentinel":
        return _sentinel(rest, options)
    kind = scheme.removesuffix("+cluster")
    if kind != scheme and kind not in ("redis", "rediss"):
        raise ValueError("expected redis+cluster:// or rediss+cluster://")
    url = RedisUrl.parse(f"{kind}://{rest}")
    settings = dict(url.settings) | options
    settings.get("host", "").encode("idna")
    if kind == "rediss":
        settings["ssl"] = True
    if kind == "unix":
        settings["unix_socket_path"] = settings.pop("path")
    if kind == scheme:
        return lambda: redis.Redis(**settings), url.shown
    del settings["db"]  # a cluster has one
    # Once more, at the node that a cluster names when its slots have moved.
    settings["retry"] = Retry(NoBackoff(), 1)
    return lambda: redis.RedisCluster(**settings), url.shown.replace(kind, scheme, 1)


def _sentinel(rest: str, options: dict[str, Any]) -> tuple[Callable[[], Client], str]:
    """Read `[user:password@]host:port,host:port/service[/db]`."""
    login, _, place = rest.rpartition("@")
    hosts, _, path = place.partition("/")
    service, _, db = path.partition("/")
    pairs = [host.rpartition(":") for host in hosts.split(",")]
    numbers = [*(port for _, _, port in pairs), db or "0"]
    if (
        not re.fullmatch(r"[\w.-]+", service)
        or not all(host for host, _, _ in pairs)
        or not all(number.isascii() and number.isdigit() for number in numbers)
    ):
        raise ValueError("expected redis+sentinel://HOST:PORT,HOST:PORT/SERVICE or .../SERVICE/DB")
    sentinels = [(host, int(port)) for host, _, port in pairs]
    user, _, password = login.rpartition(":")
    settings = options | {"db": int(db or 0)}
    if password:
        settings |= {"password": unquote(password), "username": unquote(user) or None}

    def make() -> Client:
        sentinel: Any = Sentinel(sentinels, sentinel_kwargs=options)
        return sentinel.master_for(service, **settings)

    return make, f"redis+sentinel://{place}"
