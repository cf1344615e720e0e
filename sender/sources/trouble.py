"""Trouble: what went wrong, from the exceptions of FFmpeg and of sockets, as one sentence."""

from __future__ import annotations

import errno
import socket
import ssl

import av.error

from sender.sources.contract import Reason, SourceError

#: The first that fits counts: PyAV's classes inherit from one another.
_KINDS: tuple[tuple[tuple[type[Exception], ...], Reason, str], ...] = (
    (
        (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError),
        "auth",
        "user name or password refused; give them in the URL, as USER:PASSWORD@HOST",
    ),
    ((av.error.HTTPNotFoundError,), "not_found", "the server has nothing under this path"),
    ((av.error.FileNotFoundError, FileNotFoundError), "not_found", "there is no such file"),
    ((av.error.ConnectionRefusedError, ConnectionRefusedError), "refused", "connection refused"),
    ((av.error.TimeoutError, av.error.ExitError, TimeoutError), "timeout", "no answer in time"),
    ((ssl.SSLCertVerificationError,), "auth", "its TLS certificate is not one that is trusted"),
    ((socket.gaierror,), "dns", "the host name is not known"),
    (
        (
            av.error.EOFError,
            av.error.ConnectionResetError,
            av.error.ConnectionAbortedError,
            av.error.BrokenPipeError,
            ConnectionError,
            EOFError,
        ),
        "ended",
        "the connection was closed by the other side",
    ),
    (
        (av.error.HTTPServerError, av.error.HTTPTooManyRequestsError),
        "refused",
        "the server is overloaded or broken and said so",
    ),
    ((av.error.HTTPClientError,), "format", "the server did not take the request"),
    (
        (av.error.ProtocolNotFoundError,),
        "format",
        "the FFmpeg that comes with PyAV was built without this protocol",
    ),
    (
        (
            av.error.InvalidDataError,
            av.error.DecoderNotFoundError,
            av.error.DemuxerNotFoundError,
            av.error.BSFNotFoundError,
            av.error.PatchWelcomeError,
            av.error.ExperimentalError,
            av.error.NotImplementedError,
        ),
        "format",
        "what it sends is no video that FFmpeg can read",
    ),
)
_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}
#: Trying again installs nothing.
_PERMANENT = (av.error.ProtocolNotFoundError,)

#: What `explain` knows to name. Anything else is a bug and is to stay one.
TROUBLE = (av.error.FFmpegError, OSError, EOFError)


def explain(trouble: Exception, name: str) -> SourceError:
    """Return the SourceError for one of TROUBLE that met the source called `name`."""
    if getattr(trouble, "errno", None) in _UNREACHABLE:
        return SourceError(f"{name}: the network does not lead there", reason="refused")
    for kinds, reason, sentence in _KINDS:
        if isinstance(trouble, kinds):
            permanent = isinstance(trouble, _PERMANENT)
            return SourceError(f"{name}: {sentence}", reason=reason, permanent=permanent)
    said = getattr(trouble, "strerror", None) or type(trouble).__name__
    return SourceError(f"{name}: {said}", reason="io")
