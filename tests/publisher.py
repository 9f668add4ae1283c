"""An HTTP server on loopback in place of the publishers of corpora and presets."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Publisher:
    """State of a server. Tests set its attributes before a request.

    Args:
        url: its address.
        files: content by path.
        cuts: number of bytes after which the next answers end, each once.
        stall: seconds of silence instead of an end.
        pause: seconds before each block of `block` bytes.
        block: size of a block.
        headers: further headers of answers with content.
        statuses: status of the next answers, each once.
        redirects: path to address.
        ranges: whether parts of files are sent.
        requests: (path, Range header) of each request.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    stall: float = 0
    pause: float = 0
    block: int = 2**16
    headers: dict[str, str] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    redirects: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    requests: list[tuple[str, str]] = field(default_factory=list)


@contextlib.contextmanager
def publisher(**settings) -> Iterator[Publisher]:
    """Yield a running server with the attributes of `Publisher`."""
    state = Publisher(**settings)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            state.requests.append((self.path, self.headers.get("Range", "")))
            if state.statuses:
                return self._empty(state.statuses.pop(0))
            if self.path in state.redirects:
                return self._empty(302, {"Location": state.redirects[self.path]})
            content = state.files.get(self.path)
            if content is None:
                return self._empty(404)
            return self._content(content)

        def _empty(self, status, headers=()):
            self.send_response(status)
            for name, value in dict(headers, **{"Content-Length": "0"}).items():
                self.send_header(name, value)
            self.end_headers()

        def _content(self, content):
            tag = f'"{hashlib.md5(content).hexdigest()}"'
            wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            same = self.headers.get("If-Range") == tag
            begin = int(wanted[1]) if wanted and same and state.ranges else 0
            if begin and begin >= len(content):
                return self._empty(416, {"Content-Range": f"bytes */{len(content)}"})
            body = content[begin:]
            self.send_response(206 if begin else 200)
            if begin:
                self.send_header(
                    "Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}"
                )
            if state.ranges:
                self.send_header("ETag", tag)
            for name, value in {"Content-Length": str(len(body)), **state.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            end = min(len(body), state.cuts.pop(0) if state.cuts else len(body))
            for start in range(0, end, state.block):
                time.sleep(state.pause)
                self.wfile.write(body[start : min(start + state.block, end)])
                self.wfile.flush()
            if end < len(body):
                time.sleep(state.stall)
            self.close_connection = True

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *arguments: None  # a client may close a connection
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


def tar_gz(members: dict[str, bytes]) -> bytes:
    """Return a .tar.gz of files by name."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return content.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    """Return a .zip of files by name."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return content.getvalue()


def sha256(content: bytes) -> str:
    """Return a checksum as corpora declare it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
