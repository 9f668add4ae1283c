"""Test downloads from a server on loopback: resumed, slow, wrong and hostile ones."""

import errno
import socket

import numpy as np
import pytest

from tests.publisher import publisher, sha256
from zoo.common.core.errors import ZooError
from zoo.common.utils import download as module
from zoo.common.utils.download import OFFLINE_VARIABLE, download, shown_url

CONTENT = np.random.default_rng(0).bytes(200_000)
PATH = "/corpus.bin"


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.setattr(module, "PAUSE", 0.01)
    monkeypatch.setattr(module, "TIMEOUT", 0.5)
    monkeypatch.delenv(OFFLINE_VARIABLE, raising=False)


@pytest.fixture
def server():
    with publisher(files={PATH: CONTENT}) as state:
        yield state


def fetch(server, folder, content=CONTENT):
    download(server.url + PATH, folder / "file", len(content), sha256(content))
    assert [path.name for path in folder.iterdir()] == ["file"]
    return (folder / "file").read_bytes()


def refused(server, folder, match, **arguments):
    """Return the error of a download that must fail. The file does not exist afterwards."""
    settings = {"size": len(CONTENT), "checksum": sha256(CONTENT)} | arguments
    with pytest.raises(ZooError, match=match) as caught:
        download(server.url + PATH, folder / "file", **settings)
    assert not (folder / "file").exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_file_is_downloaded_once_and_the_source_is_named(server, tmp_path, capsys):
    assert fetch(server, tmp_path) == CONTENT
    assert capsys.readouterr().err == f"Downloading {server.url}{PATH} (0.2 MB)\n"
    assert fetch(server, tmp_path) == CONTENT
    assert len(server.requests) == 1


def test_interrupted_download_continues_where_it_ended(server, tmp_path):
    server.cuts = [50_000, 70_000]
    assert fetch(server, tmp_path) == CONTENT
    assert [wanted for _, wanted in server.requests] == ["", "bytes=50000-", "bytes=120000-"]


def test_next_call_continues(server, tmp_path):
    server.cuts = [50_000] + [0] * module.ATTEMPTS
    refused(server, tmp_path, "ended before the file was complete. The next call continues")
    server.cuts = []
    assert fetch(server, tmp_path) == CONTENT
    assert server.requests[-1][1] == "bytes=50000-"


def test_complete_part_is_not_downloaded_again(server, tmp_path):
    server.cuts = [len(CONTENT) - 1] + [0] * module.ATTEMPTS
    refused(server, tmp_path, "ended before")
    (tmp_path / "file.part").write_bytes(CONTENT)
    server.cuts = []
    assert fetch(server, tmp_path) == CONTENT


def test_changed_file_is_downloaded_from_its_begin(server, tmp_path):
    server.cuts = [50_000] + [0] * module.ATTEMPTS
    refused(server, tmp_path, "ended before")
    changed = CONTENT[::-1]
    server.files[PATH], server.cuts = changed, []
    assert fetch(server, tmp_path, changed) == changed


def test_server_without_ranges_sends_the_whole_file(server, tmp_path):
    server.ranges, server.cuts = False, [50_000]
    assert fetch(server, tmp_path) == CONTENT


def test_silent_server_is_left_and_asked_again(server, tmp_path):
    server.cuts, server.stall = [50_000], 2
    assert fetch(server, tmp_path) == CONTENT
    assert server.requests[-1][1] == "bytes=50000-"


def test_busy_server_is_asked_again(server, tmp_path):
    server.statuses = [503, 429]
    assert fetch(server, tmp_path) == CONTENT


@pytest.mark.parametrize(
    ("statuses", "match"),
    [
        ([404], "status 404 Not Found"),
        ([401], "status 401 Unauthorized. It may need an account"),
        ([403], "It may need an account"),
        ([503] * 9, "status 503"),
    ],
)
def test_refusals(server, tmp_path, statuses, match):
    server.statuses = statuses
    refused(server, tmp_path, match)


def test_other_content_is_removed(server, tmp_path):
    server.files[PATH] = CONTENT[:-1] + b"?"
    refused(server, tmp_path, "another checksum")
    assert not list(tmp_path.glob("*.part"))
    server.files[PATH] = CONTENT
    assert fetch(server, tmp_path) == CONTENT


def test_web_page_is_refused(server, tmp_path):
    server.files[PATH] = b"\n<!DOCTYPE html><html>Log in</html>"
    refused(server, tmp_path, "sent a web page instead of the file", checksum="")
    server.headers = {"Content-Type": "text/html; charset=utf-8"}
    refused(server, tmp_path, "sent a web page instead of the file")


def test_larger_file_is_refused(server, tmp_path):
    server.files[PATH] = bytes(module.most_bytes(100) + 1)
    refused(server, tmp_path, "too large", size=100)
    server.headers = {"Content-Length": "100"}  # a lie
    server.files[PATH] = b"x" * (module.most_bytes(100) + 1)
    refused(server, tmp_path, "too large|another checksum", size=100)


def test_wrong_range_is_refused(server, tmp_path):
    server.cuts = [50_000] + [0] * module.ATTEMPTS
    refused(server, tmp_path, "ended before")
    server.cuts, server.headers = [], {"Content-Range": "bytes 0-9/10"}
    refused(server, tmp_path, "other bytes than requested")


def test_redirection_is_followed_and_a_loop_is_refused(server, tmp_path):
    server.redirects = {"/corpus.bin": "/moved"}
    server.files["/moved"] = CONTENT
    assert fetch(server, tmp_path) == CONTENT
    (tmp_path / "file").unlink()
    server.redirects["/moved"] = PATH
    refused(server, tmp_path, "too many redirections")


def test_no_network(tmp_path, monkeypatch):
    with publisher() as gone:
        pass
    refused(gone, tmp_path, "its host refused the connection")

    def no_name(*arguments, **settings):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_name)
    refused(gone, tmp_path, "its host was not found. Is there a network")


def test_offline_forbids_downloads_but_not_files_that_are_there(server, tmp_path, monkeypatch):
    monkeypatch.setenv(OFFLINE_VARIABLE, "1")
    refused(server, tmp_path, "ZOO_OFFLINE forbids")
    assert not server.requests
    (tmp_path / "file").write_bytes(CONTENT)
    assert fetch(server, tmp_path) == CONTENT


def test_full_disk(server, tmp_path, monkeypatch):
    free = module.shutil.disk_usage(tmp_path)._replace(free=1000)
    with monkeypatch.context() as patch:
        patch.setattr(module.shutil, "disk_usage", lambda path: free)
        refused(server, tmp_path, "not enough space: 0.2 MB are needed and 1.0 kB free")

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module, "_write", full)
        refused(server, tmp_path, "file.part cannot be written: No space left on device")
    assert fetch(server, tmp_path) == CONTENT


def test_secrets_are_not_shown(server, tmp_path, capsys, monkeypatch):
    """Neither those of an address nor those of a proxy."""
    secret = server.url.replace("//", "//user:hunter2@") + f"{PATH}?token=hunter2"
    assert shown_url(secret) == server.url + PATH
    server.statuses = [404]
    with pytest.raises(ZooError, match="404") as caught:
        download(secret, tmp_path / "file", 10)
    with publisher() as gone:
        proxy = gone.url.replace("//", "//user:hunter2@")
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(ZooError, match="the proxy refused the connection") as proxied:
        download("http://corpora.invalid/file", tmp_path / "file", 10)
    shown = f"{caught.value}{proxied.value}{capsys.readouterr()}"
    assert "hunter2" not in shown
