"""A server on loopback in place of the hub of Hugging Face: the requests of `huggingface_hub`."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


@dataclass
class Hub:
    """State of the server.

    Args:
        url: its address.
        revisions: files by revision (branch, tag or commit) of each repository.
        private: repositories that only their owners see.
        cards: cards that were validated.
        invalid: the answer to the next card, if it is not valid.
        requests: method and path of each request.
    """

    url: str = ""
    revisions: dict[str, dict[str, dict[str, bytes]]] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    cards: list[str] = field(default_factory=list)
    invalid: str = ""
    requests: list[str] = field(default_factory=list)

    def files(self, repository: str, revision: str = "main") -> dict[str, bytes]:
        """Return the files of a revision, given by its name or its commit."""
        known = self.revisions[repository]
        by_commit = {commit_of(files): files for files in known.values()}
        return known.get(revision) or by_commit[revision]


def commit_of(files: dict[str, bytes]) -> str:
    """Return a commit id of the contents."""
    return hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()


@contextlib.contextmanager
def hub_server() -> Iterator[Hub]:
    """Yield a running server."""
    state = Hub()

    class Handler(BaseHTTPRequestHandler):
        def answer(self, status, content=b"{}", **headers):
            self.send_response(status)
            headers = {"Content-Type": "application/json", "Content-Length": len(content)} | {
                name.replace("_", "-"): value for name, value in headers.items()
            }
            for name, value in headers.items():
                self.send_header(name, str(value))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def answer_json(self, value):
            self.answer(200, json.dumps(value).encode())

        def missing(self, code):
            self.answer(404, b'{"error": "no"}', X_Error_Code=code, X_Error_Message="no")

        def do_GET(self):
            path = unquote(urlsplit(self.path).path).strip("/")
            state.requests.append(f"{self.command} {path}")
            parts = path.split("/")
            api = parts[:2] == ["api", "models"]
            repository = "/".join(parts[2:4] if api else parts[:2])
            if repository not in state.revisions or repository in state.private:
                return self.missing("RepoNotFound")
            what, rest = (parts[4:5], parts[5:]) if api else (["resolve"], parts[3:])
            revision = unquote(rest[0]) if rest else "main"
            try:
                files = state.files(repository, revision)
            except KeyError:
                return self.missing("RevisionNotFound")
            commit = commit_of(files)
            if api and what == ["tree"]:
                return self.answer_json(
                    [
                        {"type": "file", "path": name, "size": len(data), "oid": git_oid(data)}
                        for name, data in files.items()
                    ]
                )
            if api:
                names = [{"rfilename": name} for name in files]
                return self.answer_json({"id": repository, "sha": commit, "siblings": names})
            data = files.get("/".join(rest[1:]))
            if data is None:
                return self.missing("EntryNotFound")
            return self.answer(200, data, ETag=f'"{git_oid(data)}"', X_Repo_Commit=commit)

        do_HEAD = do_GET

        def do_POST(self):
            path = unquote(urlsplit(self.path).path).strip("/")
            state.requests.append(f"POST {path}")
            body = (
                self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers["Content-Length"]
                else self.chunks()
            )
            if path == "api/validate-yaml":
                state.cards.append(json.loads(body)["content"])
                return self.answer(400 if state.invalid else 200, state.invalid.encode() or b"{}")
            if path == "api/repos/create":
                given = json.loads(body)
                name = f"{given['organization']}/{given['name']}"
                state.revisions.setdefault(name, {"main": {}})
                return self.answer_json({"url": f"{state.url}/{name}"})
            parts = path.split("/")
            repository = "/".join(parts[2:4])
            if parts[4] == "preupload":
                files = [
                    {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for file in json.loads(body)["files"]
                ]
                return self.answer_json({"files": files})
            rows = [json.loads(line) for line in body.splitlines()]
            files = {
                row["value"]["path"]: base64.b64decode(row["value"]["content"])
                for row in rows
                if row["key"] == "file"
            }
            state.revisions[repository][parts[5]] = files
            commit = commit_of(files)
            url = f"{state.url}/{repository}/commit/{commit}"
            return self.answer_json({"success": True, "commitOid": commit, "commitUrl": url})

        def chunks(self):
            content = b""
            while size := int(self.rfile.readline(), 16):
                content += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return content

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


def git_oid(data: bytes) -> str:
    """Return the id that git gives a file."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
