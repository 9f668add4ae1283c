"""Where a figure comes from: versions, git commit, date."""

from __future__ import annotations

import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from zoo.common.core.registry import PACKAGE

PACKAGES = ("recurrent-zoo", "tensorflow", "jax", "torch", "keras", "numpy")


def provenance() -> dict[str, Any]:
    """Return versions, git commit and date: what a figure came out of."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "versions": versions,
        "commit": commit(PACKAGE),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def commit(package: Path) -> str | None:
    """Return the commit that the code of a package stands at.

    Args:
        package: its folder, at the top of a repository.

    Returns:
        The commit, with "+changes" if the code was changed since; None where the code is in no
        repository, or in one that is not its own, such as that of a project it is installed in.
    """

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(package), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        top = Path(git("rev-parse", "--show-toplevel"))
        git("ls-files", "--error-unmatch", "--", "__init__.py")  # an error if git does not keep it
        if not top.samefile(package.parent):
            return None
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ".")
        return git("rev-parse", "--short=12", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None
