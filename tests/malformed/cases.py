"""The requests, by name: `python -m tests.malformed.make` writes them to data/.

What is expected is every class of answer that is right: "2xx" … for the first status, "closed" for
an end of the connection without an answer. Never 5xx; and never 2xx where two readers of the same
bytes could see different requests in them.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.vectors.cases.frames import JPEG

Expected = tuple[str, ...]
Case = tuple[bytes, Expected]

REFUSED: Expected = ("4xx", "closed")
#: Odd, but one meaning.
EITHER: Expected = ("2xx", "3xx", "4xx", "closed")
_HOST = b"Host: receiver.example"


def every() -> dict[str, Case]:
    """Return all requests and what they must be answered."""
    return {
        name: case
        for group in (request_lines, header_fields, lengths, chunks, targets, protocols, bodies)
        for name, case in group()
    }


def _request(line: bytes, *fields: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join((line, _HOST, *fields, b"", body))


def _get(*fields: bytes) -> bytes:
    return _request(b"GET /healthz HTTP/1.1", *fields)


def _post(*fields: bytes, body: bytes = b"") -> bytes:
    line = b"POST /cameras/malformed/frames HTTP/1.1"
    return _request(line, b"Content-Type: image/jpeg", *fields, body=body)


def _length(body: bytes = JPEG) -> bytes:
    return b"Content-Length: %d" % len(body)


def request_lines() -> Iterator[tuple[str, Case]]:
    lines = {
        "line-empty": b"\r\n\r\n\r\n",
        "line-spaces": b"   \r\n\r\n",
        "line-one-word": b"GET\r\n\r\n",
        "line-no-version": b"GET /healthz\r\n\r\n",
        "line-version-0.9": b"GET /healthz HTTP/0.9\r\n\r\n",
        "line-version-1.2": b"GET /healthz HTTP/1.2\r\n\r\n",
        "line-version-9.9": b"GET /healthz HTTP/9.9\r\n\r\n",
        "line-version-word": b"GET /healthz HTTP/one\r\n\r\n",
        "line-version-small": b"GET /healthz http/1.1\r\n\r\n",
        "line-version-long": b"GET /healthz HTTP/1.111111111\r\n\r\n",
        "line-four-words": b"GET /healthz and HTTP/1.1\r\n\r\n",
        "line-tabs": b"GET\t/healthz\tHTTP/1.1\r\n\r\n",
        "line-leading-space": b" GET /healthz HTTP/1.1\r\n\r\n",
        "line-nul": b"GET /health\0z HTTP/1.1\r\n\r\n",
        "line-binary": bytes(range(256)) + b"\r\n\r\n",
        "line-method-symbols": b"G@T /healthz HTTP/1.1\r\n\r\n",
        "line-method-control": b"GE\x01T /healthz HTTP/1.1\r\n\r\n",
        "line-method-long": b"A" * 10_000 + b" /healthz HTTP/1.1\r\n\r\n",
        "line-target-long": b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        "line-target-control": b"GET /health\x7fz HTTP/1.1\r\n\r\n",
        "line-target-bytes": b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
    }
    for name, sent in lines.items():
        yield name, (sent, REFUSED)
    yield "line-crlf-before", (b"\r\n" + _get(), EITHER)
    yield "line-lf-only", (b"GET /healthz HTTP/1.1\nHost: x\n\n", EITHER)
    yield "line-method-unknown", (_request(b"BREW /healthz HTTP/1.1"), ("4xx",))
    yield "line-method-small", (_request(b"get /healthz HTTP/1.1"), EITHER)
    yield "line-method-trace", (_request(b"TRACE /healthz HTTP/1.1"), ("4xx",))
    yield "line-method-connect", (_request(b"CONNECT example.com:443 HTTP/1.1"), REFUSED)


def header_fields() -> Iterator[tuple[str, Case]]:
    wrong = {
        "field-no-colon": b"Nonsense",
        "field-no-name": b": value",
        "field-space-before-colon": b"X-Frame-Seq : 1",
        "field-space-in-name": b"X Frame: 1",
        "field-tab-in-name": b"X\tFrame: 1",
        "field-bracket-in-name": b"X(Frame): 1",
        "field-bytes-in-name": b"X-\xfc: 1",
        "field-nul-in-name": b"X-\0: 1",
        "field-nul-in-value": b"X-A: a\0b",
        "field-control-in-value": b"X-A: a\x01b",
        "field-cr-in-value": b"X-A: a\rb",
        "field-folded": b"X-A: a\r\n b",
        "field-folded-first": b" X-A: a",
        "field-name-long": b"X" * 100_000 + b": 1",
        "field-thousands": b"\r\n".join(b"X-%d: 1" % n for n in range(5_000)),
    }
    for name, field in wrong.items():
        yield name, (_get(field), REFUSED)
    odd = {
        "field-empty-value": b"X-A:",
        "field-bytes-in-value": b"X-A: \xfc\xff",
        "field-value-100-kb": b"X-A: " + b"x" * 100_000,
        "field-value-500-kb": b"X-A: " + b"x" * 500_000,
        "field-hundred": b"\r\n".join(b"X-%d: 1" % n for n in range(99)),
        "field-host-twice": b"Host: other.example",
        "field-host-bytes": b"Host: \xff",
        "field-connection-long": b"Connection: " + b"close, " * 1_000,
        "field-expect-unknown": b"Expect: the worst",
        "field-range-garbage": b"Range: bytes=9-1,-,x",
        "field-cookie-garbage": b"Cookie: ==;;=\x80;a",
        "field-accept-garbage": b"Accept: ;;;q=,,*/*;q=nan",
        "field-if-modified-garbage": b"If-Modified-Since: the day before",
        "field-forwarded-garbage": b"X-Forwarded-For: , ,[::\r\nForwarded: for=;;;",
        "field-encoding-garbage": b"Accept-Encoding: gzip;q=x, \xff",
        "field-event-id-garbage": b"Last-Event-ID: \xff:\xff",
    }
    for name, field in odd.items():
        yield name, (_get(field), EITHER)
    envelope = {
        "frame-seq-huge": b"X-Frame-Seq: " + b"9" * 5_000,
        "frame-seq-other-digits": "X-Frame-Seq: \u0661".encode(),
        "frame-epoch-bytes": b"X-Frame-Epoch: \xff\xfe",
        "frame-epoch-long": b"X-Frame-Epoch: " + b"e" * 65,
        "frame-time-nan": b"X-Timestamp: nan",
        "frame-time-inf": b"X-Timestamp: 1e999",
        "frame-digest-garbage": b"Content-Digest: sha-256=:!:",
        "frame-exchange-garbage": b"X-Last-Exchange: sent=;received=x",
        "frame-type-bytes": b"Content-Type: application/x-raw-bgr; width=\xff",
    }
    for name, field in envelope.items():
        got = ("2xx", "4xx") if name == "frame-type-bytes" else ("4xx",)
        yield name, (_post(field, _length(), body=JPEG), got)
    for name, value in {
        "prefer-garbage": b"wait=wait=1;;,",
        "prefer-nan": b"wait=nan",
        "prefer-huge": b"wait=" + b"9" * 4_000,
        "prefer-negative": b"wait=-1",
    }.items():
        yield name, (_post(b"Prefer: " + value, _length(), body=JPEG), ("2xx", "4xx"))


def lengths() -> Iterator[tuple[str, Case]]:
    for name, value in {
        "length-negative": b"-5",
        "length-plus": b"+5",
        "length-hex": b"0x10",
        "length-word": b"many",
        "length-fraction": b"1.5",
        "length-empty": b"",
        "length-spaces": b"1 0",
        "length-list": b"5, 6",
        "length-beyond-64-bits": b"18446744073709551616",
        "length-endless": b"9" * 10_000,
        "length-other-digits": "\u0665".encode(),
    }.items():
        yield name, (_post(b"Content-Length: " + value, body=JPEG), REFUSED)
    yield "length-64-bits", (_post(b"Content-Length: 18446744073709551615"), REFUSED)
    yield "length-63-bits", (_post(b"Content-Length: 9223372036854775807"), REFUSED)
    yield "length-twice-other", (_post(_length(), b"Content-Length: 5", body=JPEG), REFUSED)
    yield "length-twice-same", (_post(_length(), _length(), body=JPEG), EITHER)
    yield "length-none", (_post(), ("4xx",))
    yield "length-zero", (_post(b"Content-Length: 0"), ("4xx",))
    yield "length-zeros-before", (_post(b"Content-Length: 000%d" % len(JPEG), body=JPEG), EITHER)


def chunks() -> Iterator[tuple[str, Case]]:
    whole = b"%x\r\n%b\r\n0\r\n\r\n" % (len(JPEG), JPEG)
    both = _post(b"Transfer-Encoding: chunked", _length(), body=whole)
    # A frame needs a length, so whichever counts, it is not taken.
    yield "chunked-and-length", (both, REFUSED)
    turned = _post(_length(b"12345"), b"Transfer-Encoding: chunked", body=whole)
    yield "length-and-chunked", (turned, REFUSED)
    for name, coding in {
        "coding-unknown": b"rot13",
        "coding-twice": b"chunked, chunked",
        "coding-not-last": b"chunked, identity",
        "coding-capitals": b"CHUNKED",
        "coding-tab": b"\tchunked",
        "coding-bytes": b"chunked\xff",
        "coding-quoted": b'"chunked"',
        "coding-empty": b"",
    }.items():
        sent = _post(b"Transfer-Encoding: " + coding, body=whole)
        yield name, (sent, REFUSED)
    for name, body in {
        "chunk-size-word": b"many\r\n12345\r\n0\r\n\r\n",
        "chunk-size-negative": b"-5\r\n12345\r\n0\r\n\r\n",
        "chunk-size-huge": b"f" * 17 + b"\r\n12345\r\n0\r\n\r\n",
        "chunk-size-0x": b"0x5\r\n12345\r\n0\r\n\r\n",
        "chunk-size-spaces": b" 5 \r\n12345\r\n0\r\n\r\n",
        "chunk-size-missing": b"\r\n12345\r\n0\r\n\r\n",
        "chunk-longer-than-said": b"2\r\n12345\r\n0\r\n\r\n",
        "chunk-extension-long": b"5;" + b"x" * 100_000 + b"\r\n12345\r\n0\r\n\r\n",
        "chunk-extension-lf": b"5;a\nb\r\n12345\r\n0\r\n\r\n",
        "chunk-trailer-garbage": b"0\r\nno colon\r\n\r\n",
        "chunk-trailers-many": b"0\r\n" + b"X-A: 1\r\n" * 5_000 + b"\r\n",
    }.items():
        line = b"POST /cameras/malformed/stream HTTP/1.1"
        kind = b"Content-Type: multipart/x-mixed-replace; boundary=x"
        sent = _request(line, kind, b"Transfer-Encoding: chunked", body=body)
        # The body ends there for us, and the answer says that no frame was in it.
        yield name, (sent, EITHER)


def targets() -> Iterator[tuple[str, Case]]:
    for name, target in {
        "target-dots": b"/../../etc/passwd",
        "target-dots-encoded": b"/%2e%2e/%2e%2e/etc/passwd",
        "target-dots-in-static": b"/static/../../../etc/passwd",
        "target-dots-in-static-encoded": b"/static/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "target-dots-in-recordings": b"/recordings/..%2f..%2f..%2fetc%2fpasswd.mkv",
        "target-backslashes": b"/static/..\\..\\etc\\passwd",
        "target-nul-encoded": b"/static/style.css%00.png",
        "target-percent-alone": b"/cameras/%",
        "target-percent-word": b"/cameras/%zz/frame.jpg",
        "target-percent-not-utf-8": b"/cameras/%ff%fe/frame.jpg",
        "target-percent-overlong": b"/cameras/%c0%ae%c0%ae/frame.jpg",
        "target-newline-encoded": b"/cameras/a%0d%0aX-Injected:%201/frame.jpg",
        "target-deep": b"/a" * 10_000,
        "target-semicolon": b"/cameras/a;b/frame.jpg",
        "target-camera-markup": b"/cameras/%3Cimg%20onerror%3D%3E/frame.jpg",
    }.items():
        yield name, (_request(b"GET " + target + b" HTTP/1.1"), REFUSED)
    for name, target in {
        "target-absolute-in-static": b"/static//etc/passwd",
        "target-slashes": b"/" * 1_000,
        "query-garbage": b"/cameras?&&=&%zz=%&a[]=1;",
        "query-long": b"/cameras?" + b"a=1&" * 10_000,
        "query-bytes-encoded": b"/cameras?camera=%ff%fe%00",
        "target-absolute": b"http://receiver.example/healthz",
        "target-absolute-other": b"http://other.example/healthz",
        "target-absolute-garbage": b"http://[::1/healthz",
        "target-star": b"*",
        "target-fragment": b"/healthz#part",
        "target-colon": b"healthz:80",
    }.items():
        yield name, (_request(b"GET " + target + b" HTTP/1.1"), EITHER)
    # It can be none of a request's: the target's own host counts, or it is refused.
    yield "target-options-star", (_request(b"OPTIONS * HTTP/1.1"), EITHER)
    for name, query in {
        "view-width-huge": b"width=99999999999999999999",
        "view-width-negative": b"width=-1",
        "view-quality-word": b"quality=best",
        "view-fps-nan": b"fps=nan",
        "view-unknown": b"view=%00",
    }.items():
        line = b"GET /cameras/malformed/frame.jpg?" + query + b" HTTP/1.1"
        yield name, (_request(line), ("4xx",))


def protocols() -> Iterator[tuple[str, Case]]:
    yield "http2-preface", (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9), ("2xx", *REFUSED, "h2"))
    yield (
        "http2-upgrade",
        (
            _get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMA"),
            EITHER,
        ),
    )
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    upgrade = (b"Connection: Upgrade", b"Upgrade: websocket", key, b"Sec-WebSocket-Version: 13")
    yield "websocket", (_get(*upgrade), EITHER)
    yield "websocket-without-key", (_get(*upgrade[:2]), EITHER)
    yield "tls-hello", (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), REFUSED)
    yield "rtsp", (b"DESCRIBE rtsp://receiver.example/cam RTSP/1.0\r\nCSeq: 1\r\n\r\n", REFUSED)
    yield "redis", (b"*1\r\n$4\r\nPING\r\n", REFUSED)
    yield "ssh", (b"SSH-2.0-OpenSSH_9.2\r\n", REFUSED)
    yield "proxy-protocol", (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + _get(), REFUSED)
    yield "proxy-protocol-2", (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12), REFUSED)
    two = _post(_length(b"12345"), body=b"12345GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    yield "pipelined", (two, ("4xx",))
    yield "jpeg-alone", (JPEG, REFUSED)


def bodies() -> Iterator[tuple[str, Case]]:
    line = b"POST /cameras/malformed/frames HTTP/1.1"
    for name, (kind, body) in {
        "multipart-no-boundary": (b"multipart/form-data", b"--x\r\n\r\n\r\n--x--"),
        "multipart-empty-boundary": (b"multipart/form-data; boundary=", b"--\r\n\r\n\r\n----"),
        "multipart-boundary-bytes": (b"multipart/form-data; boundary=\xff", b"--\xff\r\n\r\n"),
        "multipart-no-end": (b"multipart/form-data; boundary=x", b"--x\r\nA: 1\r\n\r\nbody"),
        "multipart-headers-long": (
            b"multipart/form-data; boundary=x",
            b"--x\r\n" + b"A: " + b"a" * 100_000 + b"\r\n\r\nbody\r\n--x--",
        ),
        "multipart-many-parts": (
            b"multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 2_000 + b"--x--",
        ),
        "json-deep": (b"application/json", b"[" * 20_000 + b"]" * 20_000),
        "json-not-utf-8": (b"application/json", b'{"image": "\xff"}'),
        "json-surrogate": (b"application/json", b'{"image": "\\ud800"}'),
        "json-number": (b"application/json", b"1" * 5_000),
        "json-infinite": (b"application/json", b'{"image": Infinity}'),
        "form-bytes": (b"application/x-www-form-urlencoded", b"image=%ff%fe&%=%"),
        "type-bytes": (b"\xff\xfe/\xfd", b"12345"),
        "type-long": (b"image/" + b"x" * 10_000, b"12345"),
        "charset-unknown": (b"application/json; charset=klingon", b'{"image": ""}'),
        "encoding-gzip": (b"image/jpeg\r\nContent-Encoding: gzip", b"\x1f\x8b\x08" + bytes(20)),
    }.items():
        sent = _request(line, b"Content-Type: " + kind, _length(body), body=body)
        yield name, (sent, REFUSED)
    inference = b"POST /v2/models/malformed/infer HTTP/1.1"
    for name, extent in {
        "inference-length-negative": b"-1",
        "inference-length-huge": b"9" * 100,
        "inference-length-beyond": b"100",
        "inference-length-word": b"x",
    }.items():
        field = b"Inference-Header-Content-Length: " + extent
        yield name, (_request(inference, field, _length(b"{}"), body=b"{}"), ("4xx",))
