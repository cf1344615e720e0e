"""LitServe's server: a LitAPI that loops for each picture, in as many processes as are wished."""

# LitServe reads the annotations: there must be none, or classes.

import os

import litserve

from benchmarks.programs.busy import WORKERS, Busy
from benchmarks.rivals.options import parse


class Looping(litserve.LitAPI):  # type: ignore[misc]
    def setup(self, device: str) -> None:
        self.busy = Busy()
        self.busy.setup()

    def decode_request(self, request):  # type: ignore[no-untyped-def]
        return request["image"].file.read()

    def predict(self, x):  # type: ignore[no-untyped-def]
        self.busy.run()
        return {"size": len(x)}

    def encode_response(self, output):  # type: ignore[no-untyped-def]
        return output


def main() -> None:
    arguments = parse(__doc__, sends=False)
    workers = int(os.environ[WORKERS])
    server = litserve.LitServer(
        Looping(), accelerator="cpu", workers_per_device=workers, fast_queue=True
    )
    # One process that speaks HTTP, as our receiver has.
    server.run(
        host="127.0.0.1",
        port=arguments.port,
        num_api_servers=1,
        generate_client_file=False,
        access_log=False,
    )


if __name__ == "__main__":
    main()
