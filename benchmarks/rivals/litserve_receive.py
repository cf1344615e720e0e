"""LitServe's server: a LitAPI that decodes the picture, in one worker process."""

# Without annotations: LitServe makes of them what a request must have.

import litserve

from benchmarks.measuring.sink import Sink
from benchmarks.rivals.options import parse
from shared import codec


class Reading(litserve.LitAPI):  # type: ignore[misc]  # it has no types
    def setup(self, device):  # type: ignore[no-untyped-def]
        self.sink = Sink()

    def decode_request(self, request):  # type: ignore[no-untyped-def]
        return codec.decode(request["image"].file.read())

    def predict(self, image):  # type: ignore[no-untyped-def]
        return self.sink.take(image)

    def encode_response(self, number):  # type: ignore[no-untyped-def]
        return {"number": number}


def main() -> None:
    arguments = parse(__doc__, sends=False)
    # The queue between its processes that it calls fast.
    server = litserve.LitServer(Reading(), accelerator="cpu", fast_queue=True)
    server.run(
        host="127.0.0.1", port=arguments.port, generate_client_file=False, log_level="warning"
    )


if __name__ == "__main__":
    main()
