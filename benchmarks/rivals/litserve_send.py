"""LitServe's client: each picture a multipart POST on a kept connection."""

from __future__ import annotations

import time

import requests

from benchmarks.rivals.options import QUALITY, parse, pictures
from shared import codec


def is_up(session: requests.Session, url: str) -> bool:
    try:
        return session.get(f"{url}/health", timeout=10).ok
    except requests.ConnectionError:
        return False


def main() -> None:
    arguments = parse(__doc__, sends=True)
    url = f"http://127.0.0.1:{arguments.port}"
    session = requests.Session()
    while not is_up(session, url):
        time.sleep(0.1)
    for image in pictures(arguments):
        session.post(
            f"{url}/predict", files={"image": codec.encode(image, QUALITY)}, timeout=10
        ).raise_for_status()


if __name__ == "__main__":
    main()
