"""RedisUrl: which Redis, and what is meant to happen there, taken from one URL."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

SCHEMES = ("redis", "rediss", "unix")
#: Options that belong to the connection, by the scheme that has them.
_LOGIN = ("username", "password")
_TLS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname")
_CONNECTION = {"redis": _LOGIN, "rediss": (*_LOGIN, *_TLS), "unix": (*_LOGIN, "db")}
_CHOICES: dict[str, dict[str, object]] = {
    "ssl_cert_reqs": {"required": "required", "optional": "optional", "none": "none"},
    "ssl_check_hostname": {"true": True, "false": False},
}
_MOST_DATABASES = 1 << 16
_LONGEST = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisUrl:
    """A redis, rediss (TLS) or unix URL. What is secret in it is in no repr."""

    scheme: str
    #: Scheme, place and database, for people.
    shown: str
    #: What its query says to the one who uses it; a name that is absent has the user's default.
    options: Mapping[str, str]
    #: Arguments for a connection of redis-py's.
    settings: Mapping[str, Any] = field(repr=False)

    @classmethod
    def parse(cls, text: str, *, options: Collection[str] = ()) -> RedisUrl:
        """Read `text`, whose query may hold `options` besides those of a connection.

        Raise ValueError that says what was expected, and holds no password.
        """
        url = _split(text)
        query = _read_query(url, options)
        ours = {name: query.pop(name) for name in options if name in query}
        settings: dict[str, Any] = {
            name: _choose(name, value) if name in _CHOICES else value
            for name, value in query.items()
        }
        settings |= {
            name: unquote(value)
            for name, value in (("username", url.username), ("password", url.password))
            if value
        }
        if url.scheme == "unix":
            settings["path"] = unquote(url.path)
            settings["db"] = _read_database(query.get("db", "0"))
            shown = f"unix://{settings['path']}"
        else:
            settings["host"], settings["port"] = url.hostname, url.port or 6379
            settings["db"] = _read_database(url.path.removeprefix("/") or "0")
            host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
            shown = f"{url.scheme}://{host}:{settings['port']}/{settings['db']}"
        return cls(scheme=url.scheme, shown=shown, options=ours, settings=settings)

    def seconds(self, name: str, default: float) -> float:
        """Return an option that is a duration; raise ValueError for what is none."""
        text = self.options.get(name)
        if text is None:
            return default
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not 0.001 <= value <= _LONGEST:
            raise ValueError(f"{name}: expected seconds from 0.001 to {_LONGEST:g}, got {text!r}")
        return value


def _split(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        is_network = bool(url.hostname) and url.port != 0
        is_good = not url.fragment and url.scheme in SCHEMES
        is_good &= is_network if url.scheme != "unix" else not url.hostname and len(url.path) > 1
    except ValueError:  # a port that is no number, half an IPv6 address
        is_good = False
    if not is_good or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(
            "expected redis://[:PASSWORD@]HOST:PORT/DATABASE, rediss:// for TLS, or "
            "unix://[:PASSWORD@]/PATH, special characters as %XX"
        )
    return url


def _read_query(url: SplitResult, options: Collection[str]) -> dict[str, str]:
    known = (*options, *_CONNECTION[url.scheme])
    query: dict[str, str] = {}
    for name, value in parse_qsl(url.query, keep_blank_values=True):
        if name not in known:
            raise ValueError(f"expected no option but {', '.join(known)}, got {name[:40]!r}")
        if name in query:
            raise ValueError(f"{name}: expected once, got it again")
        query[name] = value
    return query


def _read_database(text: str) -> int:
    if text.isdigit() and text.isascii() and len(text) < 6 and int(text) < _MOST_DATABASES:
        return int(text)
    raise ValueError(f"expected a database's number such as /0, got {text[:40]!r}")


def _choose(name: str, value: str) -> object:
    choices = _CHOICES[name]
    if value.lower() not in choices:
        raise ValueError(f"{name}: expected {' or '.join(choices)}, got {value[:40]!r}")
    return choices[value.lower()]
