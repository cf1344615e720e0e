"""Curve: the keys by which the two ends of a ZeroMQ socket know each other (CurveZMQ, RFC 26).

The files are those of zmq.auth.create_certificates: NAME.key_secret with a pair of keys, for its
owner alone, and NAME.key with the public one, for the others.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: What a URL says of keys: of whom others come to, and of who goes to them.
SERVER_OPTIONS = ("secret", "clients")
CLIENT_OPTIONS = ("secret", "server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Keys in the form of Z85, 40 characters each. The secret one is in no repr."""

    public: bytes
    secret: bytes = field(repr=False)
    #: Of whom we go to; None where others come to us.
    server: bytes | None = None
    #: Who may come; None where we go.
    clients: frozenset[bytes] | None = None

    @classmethod
    def read(cls, options: Mapping[str, str], *, is_server: bool) -> Curve | None:
        """Read the files that options name; None where there are none.

        Raise ValueError that says what was expected, and holds no key.
        """
        names = SERVER_OPTIONS if is_server else CLIENT_OPTIONS
        given = [name for name in names if name in options]
        if not given:
            return None
        if len(given) < len(names):
            raise ValueError(f"expected {' and '.join(names)} together, got {given[0]} alone")
        public, secret = _read_file("secret", Path(options["secret"]))
        if secret is None:
            raise ValueError(f"secret: expected a file with both keys, got {options['secret']!r}")
        if not is_server:
            server, _ = _read_file("server", Path(options["server"]))
            return cls(public=public, secret=secret, server=server)
        clients = _read_folder(Path(options["clients"]))
        return cls(public=public, secret=secret, clients=clients)


def _read_folder(folder: Path) -> frozenset[bytes]:
    if not folder.is_dir():
        raise ValueError(f"clients: expected a folder of .key files, got {str(folder)!r}")
    keys = frozenset(_read_file("clients", path)[0] for path in sorted(folder.glob("*.key")))
    if not keys:
        raise ValueError(f"clients: expected a folder with a .key file, {str(folder)!r} has none")
    return keys


def _read_file(name: str, path: Path) -> tuple[bytes, bytes | None]:
    from zmq.auth import load_certificate  # slow to load, and only for those who use it
    from zmq.utils import z85

    try:
        public, secret = load_certificate(path)
        for key in (public, secret):
            if key is not None and len(z85.decode(key)) != 32:
                raise ValueError("no key")
    except (OSError, ValueError, KeyError, struct.error):
        raise ValueError(
            f"{name}: expected a file of zmq.auth.create_certificates, got {str(path)!r}"
        ) from None
    return public, secret
