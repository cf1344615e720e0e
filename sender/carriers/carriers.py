"""Carriers: what brings frames to a receiver, by the scheme of its URL."""

from __future__ import annotations

from sender.carriers import http
from sender.carriers.contract import Carrier, CarrierOptions, Connection
from sender.carriers.redis_endpoint import RedisEndpoint
from sender.carriers.udp_endpoint import UdpEndpoint
from sender.carriers.zmq_endpoint import ZmqEndpoint
from sender.courier import Client
from sender.endpoint import Endpoint
from shared import redis_url, zmq_url
from shared.errors import ConfigError


def _read_redis(options: CarrierOptions) -> Endpoint:
    return RedisEndpoint.read(
        options.to, options.camera, encoding=options.encoding, digest=options.digest
    )


def _connect_redis(options: CarrierOptions, endpoint: Endpoint, connection: Connection) -> Client:
    from sender.carriers.redis_carrier import RedisCarrier  # with redis-py, slow to load

    assert isinstance(endpoint, RedisEndpoint)
    return RedisCarrier(endpoint, deadline=options.deadline, told=connection.told)


def _read_udp(options: CarrierOptions) -> Endpoint:
    if options.encoding != "raw":
        raise ConfigError(f"encoding: expected raw for UDP, got {options.encoding}")
    return UdpEndpoint.read(options.to, options.camera, digest=options.digest, token=options.token)


def _connect_udp(options: CarrierOptions, endpoint: Endpoint, connection: Connection) -> Client:
    from sender.carriers.udp_carrier import UdpCarrier

    assert isinstance(endpoint, UdpEndpoint)
    return UdpCarrier(endpoint, deadline=options.deadline)


def _read_zmq(options: CarrierOptions) -> Endpoint:
    if options.encoding != "raw":
        raise ConfigError(f"encoding: expected raw for ZeroMQ, got {options.encoding}")
    return ZmqEndpoint.read(options.to, options.camera, digest=options.digest)


def _connect_zmq(options: CarrierOptions, endpoint: Endpoint, connection: Connection) -> Client:
    from sender.carriers.zmq_carrier import ZmqCarrier  # with pyzmq

    assert isinstance(endpoint, ZmqEndpoint)
    return ZmqCarrier(endpoint, deadline=options.deadline)


_HTTP = Carrier(name="HTTP", read=http.read, connect=http.connect)
_REDIS = Carrier(
    name="a Redis",
    read=_read_redis,
    connect=_connect_redis,
    tokenless="whose password stands in its URL",
)
_ZMQ = Carrier(
    name="ZeroMQ",
    read=_read_zmq,
    connect=_connect_zmq,
    tokenless="which knows keys (?secret=FILE&server=FILE)",
)
#: Those besides HTTP; what is no URL at all is left to HTTP's sentence.
_OTHERS: dict[str, Carrier] = {
    **dict.fromkeys(redis_url.SCHEMES, _REDIS),
    "udp": Carrier(name="UDP", read=_read_udp, connect=_connect_udp),
    zmq_url.REQUEST: _ZMQ,
    zmq_url.PUBLISH: _ZMQ,
}
#: Every form of `--to`, for people.
FORMS = (
    "http://HOST:PORT, https://HOST:PORT, redis://HOST:PORT, udp://HOST:PORT, zmq://HOST:PORT"
    " or zmq+pub://HOST:PORT"
)


def is_http(to: str) -> bool:
    """Tell whether HTTP is what takes `to`, or has to say why not."""
    return _carrier(to) is _HTTP


def read_endpoint(options: CarrierOptions) -> Endpoint:
    """Return where the frames go; raise ConfigError for all that does not fit together."""
    carrier = _carrier(options.to)
    problems = []
    if carrier is not _HTTP:
        if options.transport == "stream":
            problems.append(f"transport: expected post for {carrier.name}, got stream")
        if options.delivery == "every":
            problems.append(f"delivery: expected latest for {carrier.name}, got every")
        if options.token is not None and carrier.tokenless:
            problems.append(f"token: expected none for {carrier.name}, {carrier.tokenless}")
    try:
        endpoint = carrier.read(options)
    except ConfigError as exc:
        problems += exc.problems
    except ValueError as exc:
        problems.append(f"to: {exc}")
    if problems:
        raise ConfigError(*problems)
    return endpoint


def lanes(options: CarrierOptions, in_flight: int) -> int:
    """Return how many of `in_flight` clients a camera may have: elsewhere than over HTTP each frame
    is out of the way before the next, and those on another connection could overtake it.
    """
    return in_flight if is_http(options.to) else 1


def make_client(options: CarrierOptions, endpoint: Endpoint, connection: Connection) -> Client:
    """Return a client of its own for `endpoint`, which came of the same options."""
    return _carrier(options.to).connect(options, endpoint, connection)


def _carrier(to: str) -> Carrier:
    return _OTHERS.get(to.partition("://")[0].lower(), _HTTP)
