"""Tls: what a server needs to speak HTTPS, and to know its clients by their certificates."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shared.errors import ConfigError

Version = Literal["1.2", "1.3"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Files in PEM form. With `client_ca` only clients whose certificate it signed are let in."""

    cert: Path
    key: Path
    client_ca: Path | None = None
    #: The oldest version that is spoken.
    least: Version = "1.2"


def read_tls(
    cert: Path | None, key: Path | None, *, client_ca: Path | None = None, least: Version = "1.2"
) -> Tls | None:
    """Return None where nothing is given, and HTTP it is; raise ConfigError unless all fits."""
    if cert is None or key is None:
        given = {"tls_cert": cert, "tls_key": key, "tls_client_ca": client_ca}
        wanting = [name for name in ("tls_cert", "tls_key") if given[name] is None]
        if any(given.values()):
            raise ConfigError(
                *(f"{name}: expected a file beside the others of TLS" for name in wanting)
            )
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # Without a question at the terminal: a service has nobody to ask.
    _try(lambda: context.load_cert_chain(cert, key, password=lambda: b""), _blame(cert, key))
    if client_ca is not None:
        _try(
            lambda: context.load_verify_locations(client_ca),
            f"tls_client_ca: expected a PEM file of certificates, got {str(client_ca)!r}",
        )
    return Tls(cert=cert, key=key, client_ca=client_ca, least=least)


def _blame(cert: Path, key: Path) -> str:
    for name, file in (("tls_cert", cert), ("tls_key", key)):
        if not file.is_file():
            return f"{name}: expected a PEM file, got {str(file)!r}"
    return (
        f"tls_key: expected the key of the certificate in {str(cert)!r}, unencrypted PEM, got "
        f"{str(key)!r}"
    )


def _try(load: Callable[[], object], sentence: str) -> None:
    try:
        load()
    except (OSError, ValueError) as exc:  # SSLError is an OSError
        why = getattr(exc, "reason", None) or getattr(exc, "strerror", None) or str(exc)
        raise ConfigError(f"{sentence} ({why})") from None
