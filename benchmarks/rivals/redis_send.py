"""Redis as the carrier, its sender: SET of the newest JPEG and PUBLISH of its name, in one go.

With `--base64` it is text, as programs write it whose client library knows no bytes.
"""

from __future__ import annotations

import base64

import redis

from benchmarks.rivals.options import QUALITY, parse, pictures
from shared import codec


def main() -> None:
    arguments = parse(__doc__, sends=True, flags=["--base64"])
    connection = redis.Redis(port=arguments.port)
    for image in pictures(arguments):
        jpeg = codec.encode(image, QUALITY)
        pipeline = connection.pipeline(transaction=False)
        pipeline.set("camera", base64.b64encode(jpeg) if arguments.base64 else jpeg)
        pipeline.publish("frames", "camera")
        pipeline.execute()


if __name__ == "__main__":
    main()
