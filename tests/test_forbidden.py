"""What no product file may call, read from the sources: no comment silences this."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.test_architecture import ALL

#: By the full name that a call has after the file's imports: what runs text, unpacks programs,
#: starts a shell, races for a file's name, or hashes so that somebody can make another that fits.
CALLS = {
    *("eval", "exec", "compile", "__import__"),
    *("pickle.load", "pickle.loads", "marshal.load", "marshal.loads", "shelve.open", "dill.loads"),
    *("yaml.load", "yaml.load_all", "yaml.full_load", "yaml.unsafe_load"),
    *("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"),
    *("tempfile.mktemp", "os.tempnam", "os.tmpnam"),
    *("hashlib.md5", "hashlib.sha1", "random.SystemRandom", "uuid.uuid1"),
    *("ssl._create_unverified_context", "ssl.wrap_socket", "telnetlib.Telnet", "ftplib.FTP"),
    *("flask.render_template_string", "jinja2.Template", "markupsafe.Markup", "flask.Markup"),
    *("xml.etree.ElementTree.parse", "xml.etree.ElementTree.fromstring", "xml.dom.minidom.parse"),
    *("numpy.load", "torch.load", "joblib.load", "logging.config.listen"),
}
#: Keywords that are wrong with these values, whatever is called.
KEYWORDS: dict[str, object] = {"shell": True, "verify": False, "allow_pickle": True}
#: file -> calls that are right there, and why.
EXCEPTIONS = {
    # Cameras ask for it: digest authentication, RFC 7616, section 3.
    "sender/rtsp/login.py": {"hashlib.md5"},
    "camera/digest.py": {"hashlib.md5"},
}


def offences(source: str) -> set[str]:
    """Return what is called that must not be."""
    tree = ast.parse(source)
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Attribute, ast.Name)) and isinstance(node.ctx, ast.Load):
            # Also what is handed on to be called.
            first, _, rest = ast.unparse(node).partition(".")
            name = ".".join(filter(None, [names.get(first, first), rest]))
            found |= {name.removeprefix("builtins.")} & CALLS
        if isinstance(node, ast.Call):
            found |= {
                f"{word.arg}={word.value.value!r}"
                for word in node.keywords
                if isinstance(word.value, ast.Constant)
                and word.arg in KEYWORDS
                and word.value.value is KEYWORDS[word.arg]
            }
    return found


@pytest.mark.parametrize("path", ALL)
def test_no_product_file_calls_what_lets_strangers_in(path: Path) -> None:
    root = Path(__file__).parent.parent
    found = offences(path.read_text(encoding="utf-8"))

    assert found == EXCEPTIONS.get(str(path.relative_to(root)), set())


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("eval('1')  # noqa: S307", "eval"),
        ("from pickle import loads as read\nread(b'')", "pickle.loads"),
        ("import pickle as p\np.loads(b'')", "pickle.loads"),
        ("import builtins\nbuiltins.exec('')", "exec"),
        ("import yaml\nyaml.load(text, Loader=yaml.SafeLoader)", "yaml.load"),
        ("import subprocess\nsubprocess.run('x', shell=True)", "shell=True"),
        ("import requests\nrequests.get(url, verify=False)", "verify=False"),
        ("from os import system\nlist(map(system, []))", "os.system"),
        ("import hashlib\nhashlib.md5(b'', usedforsecurity=False)", "hashlib.md5"),
        ("import numpy as np\nnp.load(file)", "numpy.load"),
    ],
)
def test_it_would_be_found(source: str, found: str) -> None:
    assert offences(source) == {found}


@pytest.mark.parametrize(
    "source",
    ["import re\nre.compile('x')", "import yaml\nyaml.safe_load('')", "run(shell=False)", "x.eval"],
)
def test_what_only_looks_like_it_is_not(source: str) -> None:
    assert offences(source) == set()
