"""Download files over HTTP: resumed after an interruption, checked, and never half under their name.

`pooch` and `keras.utils.get_file` start an interrupted download again from its first byte, so that this
module continues it with `Range` requests. `requests` provides proxies, certificates and redirects, and
`urllib3` the retries.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from zoo.common.core.errors import ZooError
from zoo.common.utils.files import check_file
from zoo.common.utils.progress import meter, say

# Environment variable that forbids all downloads if it is set to 1.
OFFLINE_VARIABLE = "ZOO_OFFLINE"
# The part of a file that is downloaded, and the validator of the server for it.
PART_SUFFIX, STAMP_SUFFIX = ".part", ".stamp"
TIMEOUT = 30.0  # seconds without a byte
# Number of consecutive connections that transfer nothing, and the pause before the second, in seconds.
ATTEMPTS, PAUSE = 4, 0.5
LONGEST_PAUSE = 30
BUSY = (429, 500, 502, 503, 504)
BLOCK = 2**16
# A server may send this much more than the declared size before the download is stopped.
TOLERANCE, SLACK = 1.25, 2**20
HTML = (b"<!doctype html", b"<html")


class _InterruptedError(Exception):
    """A connection that ended before the file was complete. The message is for users."""


def is_offline() -> bool:
    """Return whether downloads are forbidden."""
    return os.environ.get(OFFLINE_VARIABLE, "") not in ("", "0")


def check_online(what: str) -> None:
    """Raise `ZooError` if downloads are forbidden.

    Args:
        what: the file, as the message calls it.
    """
    if is_offline():
        raise ZooError(f"{what} must be downloaded, which {OFFLINE_VARIABLE} forbids.")


def shown_url(url: str) -> str:
    """Return an address without user name, password and query, which may be secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def megabytes(size: int) -> str:
    """Return a size in bytes as text, such as "64.3 MB"."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def download(url: str, path: Path, size: int, checksum: str = "") -> None:
    """Download a file, unless it is there. An interrupted download continues where it ended.

    The caller must hold a lock, see `zoo.common.utils.locks`.

    Args:
        url: address of the file.
        path: the file to write, in an existing folder.
        size: its size in bytes, at least approximately. A much larger file is refused.
        checksum: "sha256:..." or "md5:..." in hexadecimal; empty if it is unknown.

    Raises:
        ZooError: downloads are forbidden, the file cannot be downloaded or written, or it has another
            checksum or size.
    """
    if path.exists() and _fits(path, checksum):
        return
    check_online(shown_url(url))
    part, stamp = (path.with_name(path.name + suffix) for suffix in (PART_SUFFIX, STAMP_SUFFIX))
    say(f"Downloading {shown_url(url)} ({megabytes(size)})")
    try:
        _check_space(path.parent, size - _size(part))
        _transfer(url, part, stamp, size)
        if not _fits(part, checksum):
            part.unlink()
            raise ZooError(
                f"{shown_url(url)} has another checksum than the recorded one: the file was changed or "
                "damaged. It was removed."
            )
        part.replace(path)
        stamp.unlink(missing_ok=True)
    except OSError as error:
        raise ZooError(f"{part} cannot be written: {error.strerror or error}.") from None


def _fits(path: Path, checksum: str) -> bool:
    """Return whether a file has a checksum; True if the checksum is unknown."""
    if not checksum:
        return True
    check_file(path)
    kind, _, expected = checksum.partition(":")
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest() == expected


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _check_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise ZooError(
            f"{folder} has not enough space: {megabytes(size)} are needed and {megabytes(free)} free."
        )


def _transfer(url: str, part: Path, stamp: Path, size: int) -> None:
    """Transfer a file to `part`, over as many connections as it takes."""
    failed = 0
    while True:
        before = _size(part)
        try:
            return _continue(url, part, stamp, size)
        except _InterruptedError as error:
            failed = 0 if _size(part) > before else failed + 1
            if failed == ATTEMPTS:
                raise ZooError(
                    f"{shown_url(url)} cannot be downloaded: {error}. The next call continues."
                ) from None
        time.sleep(min(PAUSE * 2**failed, LONGEST_PAUSE))


def _continue(url: str, part: Path, stamp: Path, size: int) -> None:
    """Transfer the missing bytes of a file over one connection."""
    begin, validator = _size(part), stamp.read_text("utf-8") if stamp.exists() else ""
    headers = {"Accept-Encoding": "identity"}
    if begin and validator:
        # The server sends the whole file if it has changed since.
        headers |= {"Range": f"bytes={begin}-", "If-Range": validator}
    with _opened(url, headers) as response:
        total = _check_answer(url, response, begin)
        if total is not None and total > most_bytes(size):
            raise ZooError(f"{shown_url(url)} is too large: {megabytes(total)}.")
        if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            if total != begin:  # the part is of another file
                part.unlink()
                raise _InterruptedError("the file on the server has changed")
            return
        if response.status_code == HTTPStatus.OK:
            begin = 0
            part.write_bytes(b"")  # first, since the validator must not be that of other bytes
            stamp.write_text(_validator(response), "utf-8")
        with part.open("ab") as file:
            _write(url, response, file, begin, size, total)


@contextmanager
def _opened(url: str, headers: dict[str, str]) -> Iterator[Any]:
    """Yield the answer to a GET request. Errors of the network become `_InterruptedError` or `ZooError`.

    The messages of the libraries are not shown, since they may contain passwords of proxies.
    """
    import requests
    import urllib3

    retry = urllib3.Retry(
        total=3,
        connect=0,
        read=0,
        status_forcelist=BUSY,
        backoff_factor=PAUSE,
        raise_on_status=False,
        retry_after_max=LONGEST_PAUSE,
    )
    try:
        with requests.Session() as session:
            for scheme in ("https://", "http://"):
                session.mount(scheme, requests.adapters.HTTPAdapter(max_retries=retry))
            with session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
                if urlsplit(url).scheme == "https" and urlsplit(response.url).scheme != "https":
                    raise ZooError(f"{shown_url(url)} leads to an address without encryption.")
                yield response
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        reason, final = _reason(error)
        if final:
            raise ZooError(f"{shown_url(url)} cannot be downloaded: {reason}.") from None
        raise _InterruptedError(reason) from None


def _reason(error: Exception) -> tuple[str, bool]:
    """Return what an error of the network means, and whether another attempt would fail as well."""
    import requests
    import urllib3

    causes: list[Any] = [
        error,
        *error.args,
        *(getattr(part, "reason", None) for part in error.args),
    ]
    kinds: tuple[tuple[type[Exception], str, bool], ...] = (
        (
            urllib3.exceptions.NameResolutionError,
            "its host was not found. Is there a network?",
            True,
        ),
        (urllib3.exceptions.ProxyError, "the proxy refused the connection", True),
        (urllib3.exceptions.SSLError, "its certificate is not valid", True),
        (requests.exceptions.SSLError, "its certificate is not valid", True),
        (requests.exceptions.InvalidURL, "the address is not valid", True),
        (requests.exceptions.MissingSchema, "the address is not valid", True),
        (requests.exceptions.InvalidSchema, "the address is not valid", True),
        (requests.exceptions.TooManyRedirects, "it has too many redirections", True),
        (urllib3.exceptions.NewConnectionError, "its host refused the connection", False),
        (urllib3.exceptions.TimeoutError, f"its host did not answer for {TIMEOUT:g} s", False),
    )
    for kind, reason, final in kinds:
        if any(isinstance(cause, kind) for cause in causes):
            return reason.rstrip("."), final
    return "the connection ended before the file was complete", False


def _check_answer(url: str, response: Any, begin: int) -> int | None:
    """Check status and type of an answer, and return the size of the whole file if it is stated.

    Raises:
        ZooError: the answer is not the file.
    """
    status, stated = response.status_code, response.headers
    if status in (HTTPStatus.PARTIAL_CONTENT, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE):
        unit, _, rest = stated.get("Content-Range", "").partition(" ")
        where, _, total = rest.partition("/")
        expected = "*" if status != HTTPStatus.PARTIAL_CONTENT else f"{begin}-"
        if unit != "bytes" or not where.startswith(expected) or not total.isdecimal():
            raise ZooError(f"{shown_url(url)}: the server sent other bytes than requested.")
        return int(total)
    if status != HTTPStatus.OK:
        hint = " It may need an account." if status in (401, 403) else ""
        raise ZooError(
            f"{shown_url(url)} cannot be downloaded: status {status} {response.reason or ''}".rstrip()
            + f".{hint}"
        )
    if stated.get("Content-Type", "").startswith("text/html"):
        raise _web_page(url)
    length = stated.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _write(url: str, response: Any, file: Any, done: int, size: int, total: int | None) -> None:
    """Write the body of an answer at the end of a file."""
    first = done == 0
    with meter("Downloading", total or size, "B") as bar:
        bar.update(done)
        # `read1` returns what has arrived, so that a silent server costs no bytes.
        while block := response.raw.read1(BLOCK, decode_content=False):
            if first and block.lstrip()[:20].lower().startswith(HTML):
                raise _web_page(url)
            first, done = False, done + len(block)
            if done > most_bytes(size):
                raise ZooError(f"{shown_url(url)} is too large: more than {megabytes(done)}.")
            file.write(block)
            bar.update(len(block))
    if total is not None and done < total:
        raise _InterruptedError("the connection ended before the file was complete")


def most_bytes(size: int) -> int:
    """Return the size up to which a file of a declared size is accepted."""
    return round(size * TOLERANCE) + SLACK


def _validator(response: Any) -> str:
    """Return the value for `If-Range` that identifies the version of a file; empty without one."""
    tag = response.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")


def _web_page(url: str) -> ZooError:
    return ZooError(
        f"{shown_url(url)} sent a web page instead of the file. Does a proxy or a login page answer?"
    )
