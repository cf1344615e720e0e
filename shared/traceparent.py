"""TraceParent: a place in a trace, as the header `traceparent` carries it.

W3C Trace Context, level 1, section 3.2 (https://www.w3.org/TR/trace-context-1/).
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_SAMPLED = 1
#: A later version may say more, but not without end.
_MAX_LENGTH = 256


@dataclass(frozen=True, slots=True)
class TraceParent:
    """One span of one trace."""

    trace_id: int
    span_id: int
    #: Whether whoever began the trace records it.
    is_sampled: bool = True

    @classmethod
    def parse(cls, text: str | None) -> TraceParent | None:
        """Return None for what is malformed: the specification has that ignored."""
        if text is None or len(text) > _MAX_LENGTH or not (found := _FORM.fullmatch(text)):
            return None
        version, trace, span, flags, more = found.groups()
        trace_id, span_id = int(trace, 16), int(span, 16)
        if version == "ff" or (version == "00" and more) or not trace_id or not span_id:
            return None
        return cls(trace_id, span_id, bool(int(flags, 16) & _SAMPLED))

    @classmethod
    def begin(cls) -> TraceParent:
        """Return the first span of a new trace."""
        return cls(random.getrandbits(128) or 1, random.getrandbits(64) or 1)

    def child(self) -> TraceParent:
        """Return a new span of the same trace."""
        return TraceParent(self.trace_id, random.getrandbits(64) or 1, self.is_sampled)

    def __str__(self) -> str:
        flags = _SAMPLED if self.is_sampled else 0
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{flags:02x}"
