"""The commit that code stands at: of its own repository alone; versions of what is installed."""

import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from zoo.common.presets.provenance import commit, provenance


@pytest.fixture
def repository(tmp_path) -> Path:
    """A repository with a package at its top."""
    package = tmp_path / "own" / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "b.py").touch()
    git(package.parent, "init", "-q")
    git(package.parent, "add", "package")
    git(package.parent, "commit", "-qm", "first")
    return package.parent


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_its_own_repository(repository):
    head = git(repository, "rev-parse", "--short=12", "HEAD")
    assert commit(repository / "package") == head
    (repository / "other.txt").write_text("beside the code")
    assert commit(repository / "package") == head
    (repository / "package" / "b.py").write_text("changed")
    assert commit(repository / "package") == head + "+changes"


@pytest.mark.parametrize("place", ["env/site-packages/package", "package2"])
def test_installed_in_the_repository_of_a_project(repository, place):
    """Whether below its top or at it: what git does not keep there has no commit."""
    folder = repository / place
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    assert commit(folder) is None


def test_in_a_folder_of_a_project_that_keeps_it(repository):
    folder = repository / "vendored" / "package"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    git(repository, "add", ".")
    assert commit(folder) is None


def test_no_repository(tmp_path):
    assert commit(tmp_path) is None
    assert commit(tmp_path / "none") is None


def test_versions_are_of_the_packages_that_are_there(monkeypatch):
    def version(package):
        if package in ("jax", "torch"):
            raise metadata.PackageNotFoundError(package)
        return f"of {package}"

    monkeypatch.setattr(metadata, "version", version)
    versions = provenance()["versions"]
    assert [*versions] == ["python", "recurrent-zoo", "tensorflow", "keras", "numpy"]
    assert versions["keras"] == "of keras"
