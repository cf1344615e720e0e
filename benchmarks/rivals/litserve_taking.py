"""LitServe's server: a LitAPI that takes the picture's bytes and looks at nothing."""

# LitServe reads the annotations: there must be none, or classes.

import litserve

from benchmarks.rivals.options import parse


class Taking(litserve.LitAPI):  # type: ignore[misc]
    def setup(self, device: str) -> None:
        pass

    def decode_request(self, request):  # type: ignore[no-untyped-def]
        return request["image"].file.read()

    def predict(self, x):  # type: ignore[no-untyped-def]
        return {"size": len(x)}

    def encode_response(self, output):  # type: ignore[no-untyped-def]
        return output


def main() -> None:
    arguments = parse(__doc__, sends=False)
    # The fast queue is LitServe's own faster way between its processes.
    server = litserve.LitServer(Taking(), accelerator="cpu", fast_queue=True)
    server.run(
        host="127.0.0.1",
        port=arguments.port,
        num_api_servers=1,
        generate_client_file=False,
        access_log=False,
    )


if __name__ == "__main__":
    main()
