"""Test the recorded commit and the recorded versions of packages."""

import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from zoo.common.presets.provenance import commit, provenance


@pytest.fixture
def repository(tmp_path) -> Path:
    """Return a repository with a package in its top folder."""
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


def test_the_commit_of_the_repository(repository):
    head = git(repository, "rev-parse", "--short=12", "HEAD")
    assert commit(repository / "package") == head
    (repository / "other.txt").write_text("not code")
    assert commit(repository / "package") == head
    (repository / "package" / "b.py").write_text("changed")
    assert commit(repository / "package") == head + "+changes"


@pytest.mark.parametrize("place", ["env/site-packages/package", "package2"])
def test_an_installed_package_in_a_repository_has_no_commit(repository, place):
    """Git does not track it."""
    folder = repository / place
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    assert commit(folder) is None


def test_a_package_in_the_repository_of_another_project_has_no_commit(repository):
    folder = repository / "vendored" / "package"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    git(repository, "add", ".")
    assert commit(folder) is None


def test_no_repository(tmp_path):
    assert commit(tmp_path) is None
    assert commit(tmp_path / "none") is None


def test_versions_of_installed_packages(monkeypatch):
    def version(package):
        if package in ("jax", "torch"):
            raise metadata.PackageNotFoundError(package)
        return f"of {package}"

    monkeypatch.setattr(metadata, "version", version)
    versions = provenance()["versions"]
    assert [*versions] == ["python", "recurrent-zoo", "tensorflow", "keras", "numpy"]
    assert versions["keras"] == "of keras"
