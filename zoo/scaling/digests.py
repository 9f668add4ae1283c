"""Digests by which processes check that they have the same code."""

from __future__ import annotations

import hashlib
from pathlib import Path

from zoo.common.core.registry import PACKAGE


def code_digest(package: Path = PACKAGE) -> str:
    """Return a digest of the Python files of a package, which does not depend on its location."""
    found = hashlib.sha256()
    for path in sorted(
        package.rglob("*.py"), key=lambda path: path.relative_to(package).as_posix()
    ):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        found.update(f"{path.relative_to(package).as_posix()} {content}\n".encode())
    return found.hexdigest()
