"""Tls: whom the sender trusts, and by which certificate it is known itself."""

from __future__ import annotations

import ssl
from pathlib import Path

from shared.errors import ConfigError


def make_context(ca: Path | None, cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """Return what an https receiver is spoken to with; None where nothing is given.

    Who trusts `ca` trusts nobody else. Raise ConfigError for files that are not what they should.
    """
    if ca is None and cert is None and key is None:
        return None
    if (cert is None) != (key is None):
        raise ConfigError("tls_cert, tls_key: expected both or none")
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as exc:
        raise ConfigError(
            f"tls_ca: expected a PEM file of certificates, got {str(ca)!r} ({_why(exc)})"
        ) from None
    if cert is not None:
        try:
            # Without a question at the terminal: a service has nobody to ask.
            context.load_cert_chain(cert, key, password=lambda: b"")
        except (OSError, ValueError) as exc:
            raise ConfigError(
                f"tls_cert, tls_key: expected PEM files of a certificate and its key, got "
                f"{str(cert)!r} and {str(key)!r} ({_why(exc)})"
            ) from None
    return context


def _why(exc: Exception) -> str:
    return str(getattr(exc, "reason", None) or getattr(exc, "strerror", None) or exc)
