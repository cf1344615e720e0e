"""Redis as the carrier, its sender: SET of the newest JPEG and PUBLISH of its name, in one go."""

from __future__ import annotations

import redis

from benchmarks.rivals.options import QUALITY, parse, pictures
from shared import codec


def main() -> None:
    arguments = parse(__doc__, sends=True)
    connection = redis.Redis(port=arguments.port)
    for image in pictures(arguments):
        pipeline = connection.pipeline(transaction=False)
        pipeline.set("camera", codec.encode(image, QUALITY))
        pipeline.publish("frames", "camera")
        pipeline.execute()


if __name__ == "__main__":
    main()
