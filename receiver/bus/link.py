"""Link: the way to Redis, and whether it works at this moment."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from redis.sentinel import Sentinel

from shared.errors import FramepostError
from shared.redact import redact
from shared.trouble import Trouble

logger = logging.getLogger(__name__)

T = TypeVar("T")
#: A connection of redis-py's: Redis, RedisCluster. Its stubs serve two worlds at once, so: Any.
Client = Any

#: Seconds for a connection, and for an answer.
TIMEOUT = 1.0
#: Seconds that a call may wait for something new, so that TIMEOUT is not mistaken for it.
PATIENCE = 0.25
#: Seconds without a failure before what has failed is trusted again.
_SETTLE = 0.5


class BusDown(FramepostError):
    """Raised when Redis did not do what was asked of it."""


class Link:
    """One for a process; any thread. A call that fails marks it down, a `probe` marks it up."""

    def __init__(self, url: str, *, timeout: float = TIMEOUT) -> None:
        """Connect to nothing yet; raise ValueError for a URL that is none of Redis's."""
        self._make = _maker(url, timeout)
        self.shown = redact(url)
        self._timeout = timeout
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._up = threading.Event()
        self._sentence: str | None = "not connected yet"
        self._failed_at = 0.0
        self._trouble = Trouble(
            f"bus {self.shown}", over="works again", logger=logger, settle=_SETTLE
        )
        #: How often it went down.
        self.outages = 0

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
        found = self._attempt(work)
        with self._lock:
            if not self.is_up and time.monotonic() - self._failed_at >= _SETTLE:
                self._sentence = None
                self._up.set()
        if self.is_up:
            self._trouble.worked()
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
        except (RedisError, OSError) as exc:
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


def _maker(url: str, timeout: float) -> Callable[[], Client]:
    """Return what makes a client; raise ValueError."""
    options: dict[str, Any] = {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        # What was sent once is not sent again: a newer frame is the retry.
        "retry": Retry(NoBackoff(), 0),
    }
    scheme, _, rest = url.partition("://")
    if scheme in ("redis", "rediss", "unix"):
        redis.Redis.from_url(url, **options).close()
        return lambda: redis.Redis.from_url(url, **options)
    if scheme in ("redis+cluster", "rediss+cluster"):
        plain = f"{scheme.partition('+')[0]}://{rest}"
        redis.Redis.from_url(plain).close()
        # Once more, at the node that a cluster names when its slots have moved.
        moved = options | {"retry": Retry(NoBackoff(), 1)}
        return lambda: redis.RedisCluster.from_url(plain, **moved)
    if scheme == "redis+sentinel":
        return _sentinel(rest, options)
    raise ValueError("expected redis://, rediss://, unix://, redis+cluster:// or redis+sentinel://")


def _sentinel(rest: str, options: dict[str, Any]) -> Callable[[], Client]:
    """Read `[password@]host:port,host:port/service[/db]`."""
    login, _, place = rest.rpartition("@")
    hosts, _, path = place.partition("/")
    service, _, db = path.partition("/")
    pairs = [host.rpartition(":") for host in hosts.split(",")]
    if not service or not all(host and port.isdigit() for host, _, port in pairs):
        raise ValueError("expected redis+sentinel://HOST:PORT,HOST:PORT/SERVICE")
    sentinels = [(host, int(port)) for host, _, port in pairs]
    password = login.rpartition(":")[2] or None

    def make() -> Client:
        sentinel: Any = Sentinel(sentinels, sentinel_kwargs=options)
        return sentinel.master_for(service, password=password, db=int(db or 0), **options)

    return make
