"""Region: a picture that lies in another program's shared memory, and is not copied."""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass, fields

from shared.errors import FrameError
from shared.frame import EncodedFrame


class Region:
    """`size` bytes at `offset` of an open file, most often one in /dev/shm.

    The other program may cut the file short at any moment, and reading mapped memory behind its
    end kills the reader. So this process never maps it; a hook's process does.
    """

    def __init__(self, fd: int, offset: int, size: int) -> None:
        """Keep `fd` open for as long as this lives, whoever else closes it."""
        self._fd = -1  # for `close`, where there is no descriptor left
        self._fd = os.dup(fd)
        self.offset = offset
        self.size = size

    def fileno(self) -> int:
        return self._fd

    def read(self) -> bytes:
        """Return a copy; raise FrameError (422) when the file has become too short."""
        parts = []
        at, end = self.offset, self.offset + self.size
        while at < end:
            part = os.pread(self._fd, end - at, at)
            if not part:
                raise FrameError(
                    f"image: expected {self.size} bytes of shared memory, "
                    f"got {at - self.offset}; it was cut short",
                    status=422,
                    reason="truncated",
                )
            parts.append(part)
            at += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def map(self) -> memoryview:
        """Return the bytes themselves, without a copy; what is written stays in this process.

        For a process that may be killed, see above. Raise FrameError as `read` does.
        """
        if os.fstat(self._fd).st_size < self.offset + self.size:
            self.read()  # says what is wrong
        start = self.offset - self.offset % mmap.ALLOCATIONGRANULARITY
        lead = self.offset - start
        mapped = mmap.mmap(self._fd, lead + self.size, flags=mmap.MAP_PRIVATE, offset=start)
        return memoryview(mapped)[lead:]

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        self.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedFrame(EncodedFrame):
    """A frame whose picture is a region; `data` is empty.

    It goes to its hook and nowhere else: when the hook has answered, the memory is its owner's
    again, so nobody can be shown it later.
    """

    region: Region

    def copied(self) -> EncodedFrame:
        """Return the frame with its picture's bytes, to keep; raise FrameError as `read` does."""
        facts = {each.name: getattr(self, each.name) for each in fields(EncodedFrame)}
        return EncodedFrame(**(facts | {"data": self.region.read()}))
