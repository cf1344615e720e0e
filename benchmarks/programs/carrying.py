"""Carrying: pictures in memory, sent by the sender's own client for one carrier or another.

`python -m benchmarks.programs.carrying --to URL --transport post`. As the sender does, but for the
camera: each picture is encoded, put into its envelope, and on its way before the next one is.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import count

from benchmarks.rivals.options import QUALITY, add_pictures, pictures
from sender.carriers.carriers import make_client, read_endpoint
from sender.carriers.contract import CarrierOptions, Connection, Transport
from sender.courier import Client
from sender.endpoint import Encoding, Endpoint
from sender.receiver_clock import ReceiverClock
from shared import codec
from shared.frame import EncodedFrame
from shared.http_client import NoReply

CAMERA = "camera"
#: Seconds for which a receiver is left alone that did not answer.
_REST = 0.25


def connect(
    to: str, *, transport: Transport = "post", encoding: Encoding = "raw"
) -> tuple[Endpoint, Client]:
    """Return where frames go, and what brings them there."""
    options = CarrierOptions(to=to, camera=CAMERA, transport=transport, encoding=encoding)
    endpoint = read_endpoint(options)
    return endpoint, make_client(options, endpoint, Connection())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", required=True, help="the receiver, or a Redis that it listens to")
    parser.add_argument("--transport", choices=["post", "stream"], default="post")
    parser.add_argument("--encoding", choices=["raw", "base64"], default="raw")
    add_pictures(parser)
    arguments = parser.parse_args()
    endpoint, client = connect(
        arguments.to, transport=arguments.transport, encoding=arguments.encoding
    )
    clock = ReceiverClock()
    numbers = count()
    for image in pictures(arguments):
        height, width, _ = image.shape
        frame = EncodedFrame(
            camera=CAMERA,
            epoch="benchmark",
            seq=next(numbers),
            captured_at=0.0,  # stamped below
            data=codec.encode(image, QUALITY),
            width=width,
            height=height,
        )
        headers, body = endpoint.request(frame)
        sent = clock.stamp(headers, frame.arrived)
        try:
            reply = client.post(endpoint.target, body, headers, sent=None)
        except NoReply as exc:
            # The next picture is the second try, as the sender has it.
            print(f"frame {frame.seq}: {exc}", file=sys.stderr)
            time.sleep(_REST)
            continue
        if reply.status >= 300:
            raise ConnectionError(f"frame {frame.seq} is refused: {reply.status} {reply.words}")
        clock.heard(reply.headers, sent)


if __name__ == "__main__":
    main()
