"""Memory routes: clients tell of the shared memory that their tensors will lie in."""

from __future__ import annotations

import ipaddress
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import flask

from receiver.door import reply
from receiver.kserve.body import read as read_body
from receiver.kserve.regions import Regions
from shared.errors import FrameError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_MAX_BYTES = 64 * 1024


def add_to(bp: flask.Blueprint, regions: Regions) -> None:
    """Add the routes. Only programs on this machine may use them, and no web page may."""

    @bp.get("/v2/systemsharedmemory/status")
    @bp.get("/v2/systemsharedmemory/region/<name>/status")
    def get_memory(name: str | None = None) -> flask.Response:
        """What is registered."""
        return reply(regions.status(name))

    @bp.post("/v2/systemsharedmemory/region/<name>/register")
    def register_memory(name: str) -> flask.Response:
        """Take a region: {"key": "/frames", "offset": 0, "byte_size": 6220800}."""
        check_neighbour(flask.request.environ)
        regions.register(name, _load(read_body(flask.request.environ, limit=_MAX_BYTES)))
        return flask.Response(status=200)

    @bp.post("/v2/systemsharedmemory/unregister")
    @bp.post("/v2/systemsharedmemory/region/<name>/unregister")
    def unregister_memory(name: str | None = None) -> flask.Response:
        """Forget a region, or all."""
        check_neighbour(flask.request.environ)
        regions.unregister(name)
        return flask.Response(status=200)

    # Clients clean up both kinds before they begin.
    @bp.get("/v2/cudasharedmemory/status")
    def get_device_memory() -> flask.Response:
        """None: frames are not taken from GPUs."""
        return reply([])

    @bp.post("/v2/cudasharedmemory/unregister")
    @bp.post("/v2/cudasharedmemory/region/<name>/unregister")
    def unregister_device_memory(name: str | None = None) -> flask.Response:
        """There is none to forget."""
        return flask.Response(status=200)

    @bp.get("/v2/cudasharedmemory/region/<name>/status")
    def get_one_device_memory(name: str) -> flask.Response:
        raise FrameError(
            f"Unable to find cuda shared memory region: '{name[:255]}'", status=404, reason="region"
        )

    @bp.post("/v2/cudasharedmemory/region/<name>/register")
    def register_device_memory(name: str) -> flask.Response:
        raise FrameError(
            "cuda shared memory is not taken here; use system shared memory or binary data",
            status=400,
            reason="region",
        )


#: What browsers say of the page, and proxies (RFC 7239 and before) of the client.
_OTHERS = ("HTTP_ORIGIN", "HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


def check_neighbour(environ: WSGIEnvironment) -> None:
    """Raise FrameError (403) unless a program on this machine asks.

    Shared memory is no use to others; and neither a page in a browser on this machine is to reach
    it, which says who it is in Origin, nor whoever a proxy on this machine speaks for.
    """
    remote = environ.get("REMOTE_ADDR", "")
    others = [environ[header] for header in _OTHERS if header in environ]
    if others or not _is_here(remote):
        raise FrameError(
            "shared memory: expected a program on the receiver's own machine, by 127.0.0.1; "
            f"got {others[0][:200] if others else remote}",
            status=403,
            reason="region",
        )


@lru_cache(maxsize=64)
def _is_here(remote: str) -> bool:
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _load(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise FrameError(
            'body: expected JSON such as {"key": "/frames", "offset": 0, "byte_size": 6220800}',
            status=400,
            reason="json",
        ) from None
