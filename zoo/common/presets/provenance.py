"""The origin of metrics: versions, number of processors, git commit, date."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from zoo.common.core.registry import PACKAGE

PACKAGES = ("recurrent-zoo", "tensorflow", "jax", "torch", "keras", "numpy")


def provenance() -> dict[str, Any]:
    """Return versions, number of processors, git commit and date."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "versions": versions,
        "processors": os.cpu_count(),
        "commit": commit(PACKAGE),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def commit(package: Path) -> str | None:
    """Return the git commit of the code of a package.

    Args:
        package: folder of the package, at the top level of its repository.

    Returns:
        The commit, with "+changes" if the code has uncommitted changes; None if the package is not in a
        repository of its own.
    """

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(package), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        top = Path(git("rev-parse", "--show-toplevel"))
        git("ls-files", "--error-unmatch", "--", "__init__.py")  # fails if the file is not tracked
        if not top.samefile(package.parent):
            return None
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ".")
        return git("rev-parse", "--short=12", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None
