"""`python -m camera`: be an RTSP camera until stopped."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

from camera.config import CameraConfig
from camera.simulated import SimulatedCamera
from camera.source import SourceError
from shared import log
from shared.errors import ConfigError

logger = logging.getLogger(__name__)


def main(argv: Sequence[str]) -> int:
    """Run until stopped; return 0 then, 1 when the camera cannot go on, 2 on wrong settings."""
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    try:
        config = CameraConfig.load(argv)
        log.configure("camera", level=config.log_level, form=config.log_format)
        signal.signal(signal.SIGINT, end)
        signal.signal(signal.SIGTERM, end)
        camera = SimulatedCamera(
            host=config.host,
            port=config.port,
            codec=config.codec,
            size=config.dimensions,
            fps=config.fps,
            source=config.source,
            user=config.user,
            password=config.password,
            gop=config.gop,
            bitrate=config.bitrate,
            faults=config.faults,
        ).start()
    except ConfigError as exc:
        sys.stderr.writelines(f"camera: {problem}\n" for problem in exc.problems)
        return 2
    except (SourceError, ValueError) as exc:
        sys.stderr.write(f"camera: CAMERA_SOURCE: {exc}\n")
        return 2
    except OSError as exc:
        reason = (exc.strerror or str(exc)).partition(" (")[0]
        sys.stderr.write(f"camera: {config.host} port {config.port}: cannot listen ({reason})\n")
        return 1
    logger.info("%s: %s", camera.summary, camera.url)
    try:
        while not ended.wait(0.2):
            if camera.error is not None:
                return 1
    finally:
        camera.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
