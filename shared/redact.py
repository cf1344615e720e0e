"""Take passwords out of a text, wherever in it they stand: messages, logs, status pages.

Cameras make people write passwords into URLs, often unescaped, so where one ends is a guess. The
guess is always the longer one: a host name too few in a message is the smaller loss.
"""

from __future__ import annotations

import re

_HIDDEN = "***"

#: //user:password@, up to the last @ of the word: a password may hold any of "@/:?#". Only a path
#: with an @ behind a host without a port is known to be none, //host/live@2, and FFmpeg's //@:1234.
_USER_INFO = re.compile(r"(?<=://)(?!@[^\s@]*(?:\s|$))(?=[^\s@]*:|[^\s@/]*@)\S*@")
#: The same with a space in the password: what follows the colon is no port.
_SPACED_USER_INFO = re.compile(
    r"(?<=://)[^\s/@:\[]*:(?!\d+[/?#\s])(?:\S*\s[^\n]*@|[^\n]*\n[^\n]*@)"
)
#: The same inside another URL's query.
_ENCODED_USER_INFO = re.compile(r"(?i)(?<=%3a%2f%2f)\S*(?:%40|@)")

_WORDS = "pass|passwd|password|pwd|psw|loginpas"
_NAMES = (
    rf"{_WORDS}|passphrase|auth|authorization|token|access_token|api_?key|key|"
    r"secret|session|sessionid|sig|signature"
)
#: What was hidden before, in a sentence that goes on.
_DONE = r"(?!\*\*\*[:;,.)'\]]*(?:\s|$))"
#: ?name=value, and the /user=a_password=b_channel=1 that some cameras have in their paths.
_PARAMETER = re.compile(
    rf"(?i)((?:[?&;](?:{_NAMES})|[/_](?:{_WORDS}))=){_DONE}(?:(?!_channel=|_stream=)[^\s&\"])+"
)
_ENCODED_PARAMETER = re.compile(rf"(?i)((?:%3f|%26)(?:{_NAMES})%3d)(?:(?!%26)[^\s&\"])+")
_HEADER = re.compile(
    r"(?i)\b((?:proxy-)?authorization['\"]?\s*[:=]\s*['\"]?(?:basic|bearer|digest)\s)[^\n]+"
)


def redact(text: str) -> str:
    """Return `text` without passwords; what has none comes back as it is."""
    if "://" in text:
        text = _USER_INFO.sub(f"{_HIDDEN}@", text)
        text = _SPACED_USER_INFO.sub(f"{_HIDDEN}@", text)
    if "%" in text:
        text = _ENCODED_USER_INFO.sub(f"{_HIDDEN}%40", text)
        text = _ENCODED_PARAMETER.sub(rf"\1{_HIDDEN}", text)
    if "=" in text:
        text = _PARAMETER.sub(rf"\1{_HIDDEN}", text)
    return _HEADER.sub(rf"\1{_HIDDEN}", text)
