"""What is said of a way to the receiver, and what a kind of carrier has to know to go it."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from sender.courier import Client
from sender.endpoint import Encoding, Endpoint

#: HTTP: a POST for each frame, or many frames in one.
Transport = Literal["post", "stream"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierOptions:
    """How one camera's frames are to travel. Each kind takes what concerns it."""

    #: A URL; its scheme says which kind.
    to: str
    camera: str
    encoding: Encoding = "raw"
    transport: Transport = "post"
    delivery: Literal["latest", "every"] = "latest"
    digest: bool = False
    token: str | None = field(default=None, repr=False)
    #: Seconds for a frame and its reply.
    deadline: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What the clients of one camera have in common."""

    #: For TLS; None for the usual one.
    context: ssl.SSLContext | None = None
    #: Set while a note stands that should be made once, not by each client.
    told: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A kind of carrier. What it needs besides Python is loaded by `connect`, not before."""

    #: Raises ConfigError, or ValueError about `to`.
    read: Callable[[CarrierOptions], Endpoint]
    #: Makes a client for an endpoint that `read` returned.
    connect: Callable[[CarrierOptions, Endpoint, Connection], Client]
    #: What people call the other end, as in "a Redis".
    name: str
    #: Why it takes no token; "" where it takes one.
    tokenless: str = ""
