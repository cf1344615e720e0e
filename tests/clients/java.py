"""Java for the clients' tests: the client compiled, and scripts that use it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.conftest import missing
from tests.program import ROOT, Command

FOLDER = ROOT / "clients" / "java"
#: Quick to start rather than quick in the end.
JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Djava.awt.headless=true")
#: Around each script: `url` is the server's, `tell` prints a line of JSON, `until` waits.
_FRAME = """\
import framepost.*;
import framepost.FramepostException.*;
import java.awt.image.*;
import java.io.*;
import java.nio.file.*;
import java.time.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.function.*;
import javax.imageio.ImageIO;

public class Script {
  static final byte[] jpeg = "jpeg".getBytes();

  static void tell(Object... things) {
    System.out.println(Json.write(Arrays.asList(things)));
  }

  static void until(BooleanSupplier condition) throws Exception {
    while (!condition.getAsBoolean()) Thread.sleep(2);
  }

  static Map<String, Object> map(Counts counts) {
    Map<String, Object> map = new TreeMap<>();
    for (String pair : counts.toString().split(" "))
      map.put(pair.split("=")[0], Long.valueOf(pair.split("=")[1]));
    return map;
  }

  public static void main(String[] arguments) throws Exception {
    String url = arguments[0];
    %s
  }
}
"""


def compile_client(out: Path) -> Path:
    """Compile the client and its example for Java 11, with every warning an error."""
    if shutil.which("javac") is None:
        missing("javac", "apt-get install openjdk-17-jdk-headless")
    sources = sorted(map(str, FOLDER.rglob("*.java")))
    flags = ("--release", "11", "-Xlint:all", "-Xdoclint:all,-missing", "-Werror")
    done = subprocess.run(
        ["javac", *flags, "-d", str(out), *sources], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    return out


class Scripts:
    """Runs lines of Java that use the client."""

    def __init__(self, classes: Path, folder: Path) -> None:
        self._classes = classes
        self._folder = folder

    def start(self, url: str, script: str, *flags: str) -> Command:
        """Start a script against the server at `url`; `flags` are the JVM's."""
        path = self._folder / "Script.java"
        path.write_text(_FRAME % script, encoding="utf-8")
        return Command("java", *JVM, *flags, "-cp", str(self._classes), str(path), url)

    def run(self, url: str, script: str, *flags: str) -> list[Any]:
        """Run a script to its good end; return what each `tell` told."""
        with self.start(url, script, *flags) as program:
            assert program.wait(seconds=90) == 0, program.output
        return [json.loads(line) for line in program.lines]
