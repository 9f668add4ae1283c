"""Fetch corpora from their publishers, and check that they are those of the presets."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.api.results import FetchResult
from zoo.api.sources import data_root
from zoo.common.core import registry
from zoo.common.core.corpora import corpora as all_corpora
from zoo.common.core.corpora import corpora_of
from zoo.common.core.corpus import Corpus, Download
from zoo.common.core.errors import ZooError
from zoo.common.presets.corpus_record import Splits, compare, read_splits, recorded
from zoo.common.utils.archives import is_archive, unpack
from zoo.common.utils.download import check_online, download, megabytes
from zoo.common.utils.files import atomic_folder, clear_parts
from zoo.common.utils.locks import LOCK_FILE, locked
from zoo.common.utils.progress import say


def fetch(
    corpora: str | Sequence[str],
    *,
    data: str | Path | None = None,
    accept_licence: bool = False,
) -> FetchResult:
    """Download corpora from their publishers, and compare them with those of the presets.

    An interrupted download continues with the next call. A corpus whose folder exists is only checked.
    docs/data.md lists the corpora.

    Args:
        corpora: one name or a list, such as "an4".
        data: folder that will hold a folder of each corpus; None for ZOO_DATA, else one in the cache.
        accept_licence: whether you accept licences that restrict the use.

    Returns:
        The corpora. The errors of others that failed are in `errors`.

    Raises:
        ZooError: an unknown name, or no corpus could be fetched: the network or the disk failed, the
            licence is not accepted, the file is not the recorded one, or the corpus needs an account.

    Examples:
        >>> import zoo
        >>> zoo.fetch("hello").corpora[0]["parts"][0]["splits"]
        {'train': 1, 'valid': 1, 'test': 1}
    """
    names = [corpora] if isinstance(corpora, str) else list(dict.fromkeys(corpora))
    for name in names:
        corpora_of(name)  # before the first download
    fetched: list[dict[str, Any]] = []
    errors: dict[str, str] = {}
    for name in names:
        try:
            fetched.append(_fetch(name, Path(data) if data else data_root(), accept_licence))
        except ZooError as error:
            errors[name] = str(error)
    if not fetched and errors:
        raise ZooError(" ".join(errors.values()))
    return FetchResult(fetched, errors)


def downloadable() -> list[str]:
    """Return the names of the corpora that can be downloaded."""
    return [name for name, group in all_corpora().items() if _downloads(group)]


def _downloads(group: Sequence[Corpus]) -> list[Download]:
    return list(dict.fromkeys(file for corpus in group for file in corpus.downloads))


def _fetch(name: str, root: Path, accept_licence: bool) -> dict[str, Any]:
    """Fetch a corpus, unless its folder exists, and return what it contains, JSON-ready."""
    group = corpora_of(name)
    folder = next((corpus.folder for corpus in group if corpus.folder), root / name)
    if folder.is_dir():
        try:
            contents = [read_splits(corpus, folder) for corpus in group]
        except ZooError as error:
            raise ZooError(f"{error} To fetch the corpus again, remove {folder}.") from None
        if folder == root / name:  # not a part of the package
            say(f"{folder} exists and was checked. To fetch the corpus again, remove it.")
    else:
        _check_terms(name, group, folder, accept_licence)
        with locked(root / f".{name}{LOCK_FILE}", folder):
            contents = _download(name, group, folder)
    parts = [
        {
            "title": corpus.title,
            "splits": {split: found["examples"] for split, found in splits.items()},
            "presets": _compared(corpus, splits),
        }
        for corpus, splits in zip(group, contents, strict=True)
    ]
    return {"name": name, "folder": str(folder), "parts": parts}


def _check_terms(name: str, group: Sequence[Corpus], folder: Path, accept_licence: bool) -> None:
    """Check that a corpus can be downloaded, and that its licence is accepted if it restricts the use.

    Raises:
        ZooError: it cannot. The message says how to obtain it, or has the licence.
    """
    downloads = _downloads(group)
    if not downloads:
        how = " ".join(dict.fromkeys(corpus.instructions for corpus in group))
        raise ZooError(
            f"The corpus {name!r} cannot be downloaded by the zoo. {how} Its folder is {folder}. "
            f"`zoo fetch {name}` then checks it."
        )
    check_online(f"The corpus {name!r}")
    licence = "; ".join(dict.fromkeys(f"{c.licence} ({c.source})" for c in group))
    if any(corpus.restricted for corpus in group) and not accept_licence:
        raise ZooError(
            f"The licence of the corpus {name!r} restricts its use: {licence}. If you accept it, repeat "
            "the command with --accept-licence."
        )
    size = megabytes(sum(file.size for file in downloads))
    say(f"{name}: {size}. Licence: {licence}")


def _download(name: str, group: Sequence[Corpus], folder: Path) -> list[Splits]:
    """Download a corpus into a new folder, and return the contents of its splits.

    Downloaded files are kept in another folder until all of them are there and can be read, so that the
    next call continues after an interruption.
    """
    files = _downloads(group)
    staging = folder.with_name(f".{name}.download")
    try:
        staging.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ZooError(f"{staging} cannot be written: {error.strerror or error}.") from None
    paths = [staging / f"{number}-{file.file}" for number, file in enumerate(files)]
    for file, path in zip(files, paths, strict=True):
        download(file.url, path, file.size, file.checksum)
    clear_parts(folder.parent, folder.name)
    with atomic_folder(folder) as temporary:
        try:
            for file, path in zip(files, paths, strict=True):
                if is_archive(file.file):
                    unpack(path, temporary, file.members, file.strip)
                else:
                    shutil.copyfile(path, temporary / file.file)
            contents = [read_splits(corpus, temporary) for corpus in group]
        except ZooError as error:
            for file, path in zip(files, paths, strict=True):
                if not file.checksum:  # it may be the cause
                    path.unlink(missing_ok=True)
            raise ZooError(str(error).replace(str(temporary), str(folder))) from None
    shutil.rmtree(staging, ignore_errors=True)
    return contents


def _compared(corpus: Corpus, splits: Splits) -> dict[str, str]:
    """Return how a corpus differs from the one of each preset that was trained on it."""
    entries = registry.entries()
    presets = [
        e.name for e in entries if (e.corpus.name, e.corpus.read) == (corpus.name, corpus.read)
    ]
    records = {name: recorded(name) for name in presets}
    return {name: compare(splits, record) for name, record in records.items() if record}
