"""Authorization: the token in a request's header of that name."""

from __future__ import annotations

import base64

#: Characters; nothing longer is looked at.
_LONGEST = 1024


def read_token(header: str) -> str | None:
    """Return the token of `Bearer TOKEN`, or of Basic, whose password it is; None for all else.

    RFC 6750, section 2.1, and RFC 7617, section 2; any user name will do.
    """
    scheme, _, rest = header.partition(" ")
    rest = rest.strip()
    if len(header) > _LONGEST or not rest or not rest.isascii() or " " in rest:
        return None
    if scheme.lower() == "bearer":
        return rest
    if scheme.lower() != "basic":
        return None
    try:
        pair = base64.b64decode(rest, validate=True).decode()
    except ValueError:
        return None
    return pair.partition(":")[2] or None


def is_basic(header: str) -> bool:
    """Tell whether a browser may have added the header by itself."""
    return header[:6].lower() == "basic "
