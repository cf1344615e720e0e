"""Certificates: an authority of our own and what it signed, made anew for the tests by OpenSSL."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.conftest import missing


class Authority:
    """Signs certificates; all files lie in `folder`, which is there."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        if shutil.which("openssl") is None:
            missing("openssl", "apt-get install openssl")
        self._folder = folder
        self.cert, self._key = self._names(name)
        self._run(
            *("req", "-x509", "-nodes", "-days", "2", "-subj", f"/CN={name}"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-keyout", str(self._key), "-out", str(self.cert)),
        )

    def sign(self, name: str, *, address: str = "127.0.0.1") -> tuple[Path, Path]:
        """Return a certificate for `address`, and its key."""
        cert, key = self._names(name)
        request, extensions = self._folder / f"{name}.csr", self._folder / f"{name}.ext"
        extensions.write_text(
            f"subjectAltName=IP:{address}\nextendedKeyUsage=serverAuth,clientAuth\n"
            "basicConstraints=CA:FALSE\n",
            encoding="utf-8",
        )
        self._run(
            *("req", "-nodes", "-subj", f"/CN={name}", "-newkey", "ec"),
            *("-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-keyout", str(key), "-out", str(request)),
        )
        self._run(
            *("x509", "-req", "-days", "2", "-in", str(request), "-CA", str(self.cert)),
            *("-CAkey", str(self._key), "-CAcreateserial", "-extfile", str(extensions)),
            *("-out", str(cert)),
        )
        return cert, key

    def _names(self, name: str) -> tuple[Path, Path]:
        return self._folder / f"{name}.pem", self._folder / f"{name}.key"

    def _run(self, *arguments: str) -> None:
        done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
