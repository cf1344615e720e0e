"""HTTP: frames as POSTs, or many in one."""

from __future__ import annotations

from sender.carriers.contract import CarrierOptions, Connection
from sender.courier import Client
from sender.endpoint import Endpoint
from sender.stream_client import StreamClient, StreamLine
from shared.errors import ConfigError
from shared.http_client import HttpClient


def read(options: CarrierOptions) -> Endpoint:
    """Return where the frames go; raise ConfigError for what does not fit together."""
    is_every, is_stream = options.delivery == "every", options.transport == "stream"
    endpoint = Endpoint.parse(
        options.to,
        options.camera,
        encoding=options.encoding,
        digest=options.digest,
        token=options.token,
        every=is_every,
    )
    if is_every and (endpoint.stream is None or is_stream):
        what = "a URL with a path" if endpoint.stream is None else "transport stream"
        raise ConfigError(f"delivery: expected latest for {what}, got every")
    if is_stream and (endpoint.stream is None or options.encoding != "raw"):
        what = "a URL with a path" if endpoint.stream is None else f"encoding {options.encoding}"
        raise ConfigError(f"transport: expected post for {what}, got stream")
    return endpoint


def connect(options: CarrierOptions, endpoint: Endpoint, connection: Connection) -> Client:
    place = (endpoint.host, endpoint.port)
    posts = HttpClient(
        *place,
        tls=endpoint.tls,
        deadline=options.deadline,
        context=connection.context,
        # A frame that may have arrived has to say so when it comes again.
        second_try=options.delivery == "latest",
    )
    if options.transport == "post" or endpoint.stream is None:
        return posts
    stream = StreamLine(
        *place, tls=endpoint.tls, deadline=options.deadline, context=connection.context
    )
    return StreamClient(
        stream, posts, target=endpoint.stream, shown=endpoint.shown, told=connection.told
    )
