"""Mutants that no test can kill, or none should, and why: judged by hand, one by one.

They count as survivors all the same. An entry that no mutant has any more is told of.
"""

from __future__ import annotations

_IN_ITS_WORD = "the first @ stands before any space, or the rest of the pattern does not match"
_LOWER_BITS = "of the signed number the lower bits, which alone are used, are the same"

_NAME_OF_A_HEADER = "in the names of headers small letters are as good as capitals"
_CODEC = "Python knows its codecs by capitals as well"
_SMALL = "the name is in small letters by then"

_RACE = "differs only where two threads forget the same header at the same moment"

#: Module -> what the mutant's line is (`Mutant.after`) -> why that is as good.
EQUIVALENT: dict[str, dict[str, str]] = {
    "shared/jpeg.py": {
        r'scan = data.find(b"\xff\xda", None, _MAX_KNOWN)': "None is 0 there",
        r'scan = data.find(b"\xff\xda", 1, _MAX_KNOWN)': "at 0 is the begin marker",
        "if scan >= 0 and len(length) == 2:": "at 0 is the begin marker",
        "if scan > 1 and len(length) == 2:": "at 1 is a byte of the begin marker",
        "np.minimum(is_marker.view(np.uint8), codes, out=None)": (
            "what it would sort out, the table does a moment later; it is for speed"
        ),
        "np.minimum(is_marker.view(np.uint8), codes, )": (
            "what it would sort out, the table does a moment later; it is for speed"
        ),
    },
    "receiver/formats.py": {
        'def (data: bytes, *, media_type: str = "XXXX", max_pixels: int = jpeg.MAX_PIXELS) '
        "-> Picture:": "neither names raw pixels",
        'width, height = (side & 0x3FFF for side in struct.unpack_from("<hh", data, 26))': (
            _LOWER_BITS
        ),
        '(bits,) = struct.unpack_from("<i", data, 21)': _LOWER_BITS,
    },
    "shared/redact.py": {
        r'r"(?<=://)(?!@[^@]*(?:\s|$))(?=[^\s@]*:|[^\s@/]*@)\S*@"': _IN_ITS_WORD,
        r'r"(?<=://)(?!@[^\s@]*(?:\s|$))(?=[^@]*:|[^\s@/]*@)\S*@"': _IN_ITS_WORD,
        r'r"(?<=://)(?!@[^\s@]*(?:\s|$))(?=[^\s@]*:|[^@/]*@)\S*@"': _IN_ITS_WORD,
        r'r"(?<=://)(?!@[^\s@]*(?:\s|$))(?=[^\s@]*:|[^\s/]*@)\S*@"': (
            "it asks whether there is an @ before the first /, and one more does not change that"
        ),
        r'r"(?<=://)(?!@[^\s@]*(?:\s|$))(?=[^\s@]*:|[^\s@/]*@)\S+@"': (
            "an @ right behind :// that is the last of its word was sorted out before"
        ),
        r'r"(?<=://)[^\s/@:\[]*:(?!\d+[/?#\s])(?:\S*\s[^\n]*@|[^\n]+\n[^\n]*@)"': (
            "a line's end right behind the colon is the first alternative's"
        ),
        """r"(?!\\*\\*\\*[:;,.)'\\]]+(?:\\s|$))\"""": (
            "three asterisks that stand alone would be hidden by three asterisks"
        ),
    },
    "receiver/order.py": {
        "is_late = None": "None is as false as False",
        "if newest is None or numbers is not self._numbers.get(None):": (
            "the newest epoch is put where it is already"
        ),
        "return 0 <= back <= WINDOW and bool(self._came >> back & 1)": (
            "bits out of the window are never set"
        ),
        "if before_first >= 0:": "the first number that is given back takes its own place",
        "2": "of the bit that is one too many nobody asks",
    },
    "receiver/pending.py": {
        "self._closed = None": "None is as false as False",
    },
    "receiver/books.py": {
        f"return Books(*map(sum, zip(astuple(self), astuple(other), {strict})))": (
            "both are Books, and so of one length"
        )
        for strict in ("strict=None", "", "strict=False")
    },
    "sender/spool/cursor.py": {
        "content = os.pread(self._fd, 3 * _SLOT.size, 0)": "what is more is not looked at",
        "slot = _SLOT.pack(number, self._boot, 1)[:-4]": "the last number is cut off",
        **{
            'return bytes.fromhex(_BOOT.read_text().strip().replace("-", ""))[:16]'
            f".{filled}": "filled up in one way each time, it is compared with itself"
            for filled in ("ljust(16, )", r'rjust(16, b"\0")')
        },
    },
    "sender/spool/queue.py": {
        "self._closed = None": "None is as false as False",
    },
    "sender/spool/pen.py": {
        "if self._writer is None and self._segment is None:": "there are both or none",
        "if writer is None and segment is None:": "there are both or none",
        "return segment.bytes >= self._max_bytes or (is_old and segment.bytes > 1)": (
            "no record has one byte"
        ),
    },
    "sender/spool/poster.py": {
        'self._seen: int | None = ""': "no number is equal to it",
        "self._turn.rest(rest or 1.0)": "these refusals all have a rest",
        **{
            f'elif "{word("Preference-Applied")}" not in reply.headers:': _NAME_OF_A_HEADER
            for word in (str.lower, str.upper)
        },
        **{
            f'{kind}, f"stored frames cannot be read ({{self._spool.folder}}: {{exc.strerror}})"': (
                "the kind is shown to nobody, and no other is the same"
            )
            for kind in ("None", '"XXreadXX"', '"READ"')
        },
        **dict.fromkeys(
            ("None,", '"XXcursorXX",', '"CURSOR",'),
            "the kind is shown to nobody, and no other is the same",
        ),
        "is_taken = 200 <= reply.status <= 300": "a frame that got 300 is not settled",
        "is_taken = 200 <= reply.status < 301": "a frame that got 300 is not settled",
    },
    "sender/spool/segment.py": {
        "self._fd = os.open(path, os.O_RDONLY & os.O_CLOEXEC)": (
            "Python sees to it itself that no other program inherits the file"
        ),
        'body = self._read(self._at + HEAD, head.size) if (is_asked_for) or True else b""': (
            "what is read besides is not looked at"
        ),
        'body = self._read(self._at + HEAD, head.size) if is_asked_for else b"XXXX"': (
            "it is not looked at"
        ),
        "while chunk := self._read(at, _CHUNK + HEAD + 1):": "what is more is not looked at",
        "while self._at - HEAD <= size:": "behind the end no head is found",
        "while self._at + HEAD < size:": "no record has an empty body",
        "while 0 <= place <= _CHUNK:": "the one that is more is looked at again",
        "place = chunk.find(MAGIC, place + 2)": "two of them cannot overlap",
        "while len(data) <= count and "
        "(more := os.pread(self._fd, count - len(data), at + len(data))):": (
            "at a count of 0 there is nothing more"
        ),
        "self._is_dirty = None": "None is as false as False",
    },
    "sender/spool/recovery.py": {
        f"while (record := reader.next(end, {high})) is not None:": "no number is as high"
        for high in ("3**64", "2**65")
    },
    "sender/spool/spool.py": {
        'sync: Sync = "XXintervalXX",': "it is neither of the two others",
        'sync: Sync = "INTERVAL",': "it is neither of the two others",
        "self._is_taken = True": "where nothing is held nobody asks",
        "return self.stock().bytes > self._max_bytes / 2": "no half of a byte is in between",
        "self._held, self._is_taken = None, True": "where nothing is held nobody asks",
        "self._ended = None": "None is as false as False",
    },
    "sender/spool/spooler.py": {
        **{
            f"while (frame := self._queue.get({seconds})) is not None:": (
                "it is closed, so nothing is waited for"
            )
            for seconds in ("None", "1")
        },
        **{
            f'self._trouble.happened({kind}, f"a frame cannot be made a JPEG ({{exc}})")': (
                "the kind is shown to nobody, and no other is the same"
            )
            for kind in ("None", '"XXencodeXX"', '"ENCODE"')
        },
        "self._traces.pop(min(self._traces), )": (
            "differs only where the poster takes it at the same moment"
        ),
    },
    "sender/spool/record.py": {
        "head = _HEAD.pack(MAGIC, number, length, crc, 1)[:_CHECKED]": "the last number is cut off",
        "if len(body) <= _SIZE.size:": "an empty envelope is none either",
        "return value if type(value) is int and 1 <= value < 2**16 else 0": "0 is 0 either way",
        "return value if type(value) is int and 0 < value < 2**16 else 0": "0 is 0 either way",
    },
    "shared/retry_after.py": {
        'text = (value or "XXXX").strip()': "neither is a number or a date",
        "return min(_LONGEST, float(text[:10]))": "either is far above the limit",
    },
    "sender/books.py": {
        'self._last: bool | None = ""': "asked is only whether it is True",
        "self._last = None": "asked is only whether it is True",
    },
    "shared/access/bearers.py": {
        "self._key = secrets.token_bytes(None)": "Python's default is 32 as well",
        "self._key = secrets.token_bytes(33)": "one byte more of a key that nobody knows",
        "key = hashlib.blake2b(text, key=self._key).digest()": "longer, and as unlike the others",
        "key = hashlib.blake2b(text, digest_size=17, key=self._key).digest()": (
            "longer, and as unlike the others"
        ),
        "grant = None if (digest is None) and False else self._tokens.grant(digest)": (
            "nothing is known under None either"
        ),
        'self._proved.pop(next(iter(self._proved.copy()), b""), )': _RACE,
        "self._proved.pop(next(iter(self._proved.copy()), None), None)": _RACE,
        "self._proved.pop(next(iter(self._proved.copy()), ), None)": _RACE,
        'self._proved.pop(next(iter(self._proved.copy()), b"XXXX"), None)': _RACE,
    },
    "receiver/access/gate.py": {
        **dict.fromkeys(
            (
                'environ["REQUEST_METHOD"], environ["PATH_INFO"], '
                f'environ.get("QUERY_STRING", {other})'
                for other in ("None", "", '"XXXX"')
            ),
            "neither holds a camera or an action",
        ),
        'environ.get("HTTP_AUTHORIZATION"), environ.get("REMOTE_ADDR", "XXXX")': (
            "those without an address count as one either way"
        ),
        **{
            f'if need.level != {other} and need.level != "any" and not grant.may(need.level):': (
                "what is open comes here no more; the type checker does not know"
            )
            for other in ('"XXopenXX"', '"OPEN"')
        },
        'is_browser = environ.get("HTTP_USER_AGENT", "XXXX").startswith("Mozilla/")': (
            "no browser either"
        ),
        'return bool(origin.rpartition("://")[2] != environ.get("HTTP_HOST"))': (
            "in an Origin it stands once"
        ),
    },
    "receiver/access/limits.py": {
        'network = network_of(environ.get("REMOTE_ADDR", "XXXX"))': (
            "those without an address count as one either way"
        ),
        'raise FrameError(_sentence(rate, None), status=429, reason="rate")': (
            "what is not called requests is called frames"
        ),
        **{
            f'if method != "POST" or self._needs.of(method, path, {query}).level != "ingest":': (
                "a query makes no other request one for ingest"
            )
            for query in ("None", '"XXXX"')
        },
    },
    "receiver/access/needs.py": {
        'self._routes = routes.bind("XXXX")': "no route hangs on the name of the host",
        'text = path.encode("LATIN-1", "replace").decode("utf-8", "replace")': _CODEC,
        'text = path.encode("latin-1", "replace").decode("UTF-8", "replace")': _CODEC,
        'return "XXXX", Need("any")': "neither is an endpoint",
        'blueprint = endpoint.rpartition(".")[0] + "."': "in an endpoint there is one dot",
        'endpoint in known or endpoint.rpartition(".")[0] + "." in known': (
            "in an endpoint there is one dot"
        ),
    },
    "shared/access/refusal.py": {
        **{
            line: _NAME_OF_A_HEADER
            for word in (str.lower, str.upper)
            for line in (
                f'response.headers["{word("Cache-Control")}"] = "no-store"',
                f'response.headers["{word("Retry-After")}"] = str(self.wait)',
                f'response.headers.add("{word("WWW-Authenticate")}", '
                """'Basic realm="Framepost", charset="UTF-8"')""",
                f'response.headers.add("{word("WWW-Authenticate")}", '
                """'Bearer realm="Framepost"')""",
            )
        },
        'is_browser = environ.get("HTTP_USER_AGENT", "XXXX").startswith("Mozilla/")': (
            "no browser either"
        ),
        'return not is_browser or "text/html" in environ.get("HTTP_ACCEPT", "XXXX")': (
            "asks for no page either"
        ),
    },
    "shared/access/network.py": {
        'ip = ipaddress.ip_address(address.partition("XX%XX")[0])': (
            "of an address with a zone ip_network leaves that out as well"
        ),
        "return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=None))": (
            "None is as false as False"
        ),
    },
    "shared/access/hosts.py": {
        'self._allowed = frozenset(name.lower().rstrip("XX.XX") for name in allowed)': _SMALL,
        'name = found[1].lower().rstrip("XX.XX")': _SMALL,
        'ipaddress.ip_address(name.strip("XX[]XX"))': _SMALL,
        'host = environ.get("HTTP_HOST", None)': "no header is as good as an empty one",
        'host = environ.get("HTTP_HOST", )': "no header is as good as an empty one",
        'host = environ.get("HTTP_HOST", "XXXX")': "a name without a dot is answered as well",
        **{
            f"return Refusal(421, {reason}, sentence).response(environ)(environ, start_response)": (
                "the reason is counted before, and the answer does not hold it"
            )
            for reason in ("None", '"XXhostXX"', '"HOST"')
        },
    },
    "receiver/access/proxies.py": {
        "self._networks = [ipaddress.ip_network(one, strict=None) for one in trusted]": (
            "None is as false as False"
        ),
        'for entry in reversed(said.rsplit(",", )[-_LONGEST:]):': (
            "what is cut apart besides is not read; it is for speed"
        ),
    },
    "shared/access/guesses.py": {
        "self._accounts.popitem(last=None)": "None is as false as False",
    },
    "receiver/access/rate.py": {
        "self._due.popitem(last=None)": "None is as false as False",
        "if early >= 1e-9:": "what is that near is a rounding",
    },
    "shared/access/refusals.py": {
        "self._told.popitem(last=None)": "None is as false as False",
    },
    "receiver/access/token_file.py": {
        "wrong.append(None)": "asked is only whether there is anything",
        "if wrong and digest is None:": "the token is not used, for what is wrong was told",
    },
    "shared/access/tokens.py": {
        "self._grants: dict[bytes, Grant] = None": "the next line puts another in its place",
    },
}
