"""Presets on the hub of Hugging Face: addresses such as `hf://owner/name@revision`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.utils.download import is_offline, megabytes, shown_url
from zoo.common.utils.files import digest, read_text
from zoo.common.utils.packages import import_package
from zoo.common.utils.progress import say, watched

SCHEME = "hf://"
# SHA-256 of each file that determines the answers of a preset.
DIGESTS_FILE = "digests.json"
RECIPE_FILE = "recipe.json"
# Files that a repository may have besides those that its recipe names.
OTHER_FILES = {"README.md", "CARD.md", "LICENSE", "metrics.json", DIGESTS_FILE, ".gitattributes"}
MAX_BYTES = 2**32
_ADDRESS = re.compile(r"hf://([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")


def is_address(name: str) -> bool:
    """Return whether the name of a preset is an address on the hub."""
    return name.startswith(SCHEME)


def parse(address: str) -> tuple[str, str | None]:
    """Return repository and revision of an address. Raises `ZooError` if it is invalid."""
    found = _ADDRESS.fullmatch(address)
    if found is None or ".." in address:
        raise ZooError(f"An address must be like hf://owner/name@revision. Received: {address!r}.")
    return found[1], found[2]


def fetch(address: str, cache: Path, expected: Callable[[Path], set[str]]) -> Path:
    """Return the folder of a preset on the hub. It is downloaded unless it is in the cache.

    Args:
        address: "hf://owner/name", or with "@" and a branch, a tag or a commit.
        cache: folder of the cache.
        expected: maps a folder with recipe.json to the names of the files that the recipe needs.

    Raises:
        ZooError: the address is invalid, the repository or revision does not exist or is private, it
            has files that are no part of a preset, a file is damaged, or the network fails and the
            preset is not in the cache.
    """
    hub = import_package("huggingface_hub", "huggingface_hub", "hub")
    repository, revision = parse(address)
    arguments: dict[str, Any] = {"revision": revision, "cache_dir": cache, "endpoint": endpoint()}
    with _explained(address):
        recipe = _snapshot(hub, repository, arguments, allow_patterns=[RECIPE_FILE])
        if not (recipe / RECIPE_FILE).exists():
            raise ZooError(f"{address} is not a preset: it has no {RECIPE_FILE}.")
        valid = expected(recipe) | OTHER_FILES
        if not is_offline():
            _check_files(hub, address, repository, arguments, valid)
        folder = _snapshot(hub, repository, arguments, allow_patterns=sorted(valid))
    _check_digests(address, folder)
    return folder


def upload(folder: Path, address: str, card: str) -> str:
    """Publish the files of a folder on the hub, in one commit, and return its address.

    Args:
        folder: a folder with the files.
        address: "hf://owner/name", or with "@" and a branch.
        card: content of README.md of the folder, with metadata that the hub checks first.

    Raises:
        ZooError: the hub refuses the card or the files, or the network fails.
    """
    hub = import_package("huggingface_hub", "huggingface_hub", "hub")
    repository, revision = parse(address)
    if is_offline():
        raise ZooError(f"{address} cannot be published: ZOO_OFFLINE forbids it.")
    api = hub.HfApi(endpoint=endpoint(), library_name="recurrent-zoo")
    with _explained(address):
        try:
            hub.ModelCard(card).validate()
        except ValueError as error:
            raise ZooError(f"{address}: the card is invalid: {_line(error)}.") from None
        size = sum(path.stat().st_size for path in folder.iterdir())
        say(f"Publishing {megabytes(size)} to {address} at {shown_url(endpoint())}")
        api.create_repo(repository, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repository,
            folder_path=folder,
            revision=revision,
            commit_message="Publish the preset",
        )
    return str(getattr(commit, "commit_url", commit))


def endpoint() -> str:
    """Return the address of the hub: `HF_ENDPOINT`, else that of Hugging Face."""
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def _snapshot(hub: Any, repository: str, arguments: dict[str, Any], **options: Any) -> Path:
    """Return the folder with files of a repository, from the cache if there is no network."""
    return Path(
        hub.snapshot_download(repository, **arguments, local_files_only=is_offline(), **options)
    )


def _check_files(
    hub: Any, address: str, repository: str, arguments: dict[str, Any], valid: set[str]
) -> None:
    """Check the names and sizes of the files of a repository, and say how large they are.

    Without network, the files in the cache were checked before.
    """
    from huggingface_hub.errors import DryRunError

    try:
        files = hub.snapshot_download(repository, **arguments, dry_run=True)
    except DryRunError:
        return
    for file in files:
        if file.filename not in valid:
            raise ZooError(
                f"{address} is refused: {file.filename[:120]!r} is not a file of a preset. Valid: "
                f"{', '.join(sorted(valid))}."
            )
    size = sum(file.file_size or 0 for file in files if file.will_download)
    if size > MAX_BYTES:
        raise ZooError(f"{address} is too large: {megabytes(size)}.")
    if size:
        say(f"Downloading {address} from {shown_url(endpoint())}: {megabytes(size)}")


def _check_digests(address: str, folder: Path) -> None:
    path = folder / DIGESTS_FILE
    if not path.exists():
        return
    try:
        digests = dict(json.loads(read_text(path)))
    except (ValueError, TypeError, RecursionError):
        raise ZooError(f"{address} is corrupt: {DIGESTS_FILE} is invalid.") from None
    for name, expected in digests.items():
        if name != Path(name).name or digest(folder / name) != expected:
            raise ZooError(f"{address} is corrupt: {name} is not the file that was published.")


@contextmanager
def _explained(address: str) -> Iterator[None]:
    """Turn errors of the hub into one line without addresses of requests, which may have secrets."""
    from huggingface_hub import errors, utils

    if not watched():
        utils.disable_progress_bars()
    reasons: tuple[tuple[type[Exception], str], ...] = (
        (errors.GatedRepoError, "its owner must give you access"),
        (
            errors.RepositoryNotFoundError,
            "there is none, or it is private and you are not logged in",
        ),
        (errors.RevisionNotFoundError, "it has no such revision"),
        (errors.LocalEntryNotFoundError, "there is no network, and it is not in the cache"),
        (
            errors.IncompleteSnapshotError,
            "there is no network, and it is not complete in the cache",
        ),
        (errors.HFValidationError, "the name is not valid"),
    )
    try:
        yield
    except ZooError:
        raise
    except Exception as error:  # the libraries of the hub raise many types
        reason = next((text for kind, text in reasons if isinstance(error, kind)), None)
        if reason is None:
            response = getattr(error, "response", None)
            status = (
                f"status {response.status_code}" if response is not None else type(error).__name__
            )
            reason = f"the hub or the network failed ({status})"
        raise ZooError(f"{address} cannot be used: {reason}.") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
