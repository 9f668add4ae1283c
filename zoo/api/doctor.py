"""Describe an installation: versions, backends, runtimes, codecs, extras and folders."""

from __future__ import annotations

import importlib
import os
import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import Any

from zoo.api.listing import list_rows
from zoo.api.sources import data_root
from zoo.common.core.corpora import corpora
from zoo.common.presets import store
from zoo.common.runtime import FOLDERS
from zoo.common.utils.quiet import import_tensorflow, silent_stderr

DISTRIBUTION = "recurrent-zoo"
# The module, the package and the purpose of each library whose import is tried.
LIBRARIES = (
    ("tensorflow", "tensorflow", "models, SavedModels"),
    ("keras", "keras", "models"),
    ("jax", "jax", "a backend of Keras"),
    ("torch", "torch", "a backend of Keras"),
    ("onnxruntime", "onnxruntime", "the runtime onnx"),
    ("ai_edge_litert.interpreter", "ai-edge-litert", "the runtime litert"),
    ("tensorrt_rtx", "tensorrt-rtx-cu13", "export to TensorRT"),
)
# Formats of recordings, and the name of each in libsndfile.
CODECS = {"WAV": "WAV", "FLAC": "FLAC", "Ogg Vorbis and Opus": "OGG", "MP3": "MP3"}
OK, MISSING, BROKEN = "ok", "not installed", "broken"


# Part, name, state and note.
Row = tuple[str, str, str, str]


def doctor() -> list[dict[str, Any]]:
    """Return the state of the installation.

    Libraries are imported, since one that is installed may not work. Values of environment variables
    are left out, and the home folder of the user is "~".

    Returns:
        Rows with `part`, such as "library"; `name`; `state`, such as a version; and `note`.
    """
    rows = [*_versions(), *_libraries(), *_codecs(), *_extras(), *_folders(), *_variables()]
    return [dict(zip(("part", "name", "state", "note"), row, strict=True)) for row in rows]


def _row(part: str, name: str, state: str, note: str = "") -> Row:
    return part, name, state, without_home(note)


def without_home(text: str) -> str:
    """Return a text in which the home folder of the user is "~"."""
    home = os.path.expanduser("~")
    return re.sub(rf"{re.escape(home)}(?![^/\\])", "~", text) if home not in ("/", "~") else text


def _versions() -> Iterator[Row]:
    yield _row("version", DISTRIBUTION, version(DISTRIBUTION) or "not installed as a package")
    yield _row("version", "python", platform.python_version())
    yield _row("version", "system", f"{platform.system()} {platform.machine()}")
    yield _row("version", "processors", str(os.cpu_count()))


def version(package: str) -> str | None:
    """Return the version of an installed package; None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _libraries() -> Iterator[Row]:
    for module, package, purpose in LIBRARIES:
        found = version(package)
        if found is None:
            yield _row("library", package, MISSING, f"for {purpose}")
            continue
        try:
            if module == "tensorflow":
                import_tensorflow()
            with silent_stderr():
                loaded = importlib.import_module(module)
        except Exception as error:  # any error of a library that does not work
            line = " ".join(str(error).split())[:200]
            yield _row("library", package, BROKEN, f"{found}: {line}")
            continue
        note = f"backend {loaded.backend.backend()}" if module == "keras" else f"for {purpose}"
        yield _row("library", package, found, note)
    if tensorflow := sys.modules.get("tensorflow"):
        with silent_stderr():
            count = len(tensorflow.config.list_physical_devices("GPU"))
        note = "" if count else f"pip install '{DISTRIBUTION}[gpu]' for NVIDIA GPUs on Linux"
        yield _row("library", "GPUs of TensorFlow", str(count), note)


def _codecs() -> Iterator[Row]:
    import soundfile

    formats = soundfile.available_formats()
    for name, key in CODECS.items():
        yield _row("codec", name, OK if key in formats else MISSING)
    yield _row("codec", "video", OK if version("av") else MISSING, _how("video", "av"))


def _how(extra: str, *packages: str) -> str:
    missing = [package for package in packages if version(package) is None]
    return f"pip install '{DISTRIBUTION}[{extra}]' adds {', '.join(missing)}" if missing else ""


def _extras() -> Iterator[Row]:
    """Yield a row for each extra of the package."""
    from packaging.requirements import Requirement

    try:
        about = metadata.metadata(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return
    requirements = [Requirement(text) for text in about.get_all("Requires-Dist") or []]
    for extra in about.get_all("Provides-Extra") or []:
        needed = [
            each.name
            for each in requirements
            if each.marker and each.marker.evaluate({"extra": extra}) and each.name != DISTRIBUTION
        ]
        note = _how(extra, *needed)
        # TensorFlow is installed with and without the libraries of a GPU.
        if extra != "gpu":
            yield _row("extra", extra, "incomplete" if note else OK, note)


def _folders() -> Iterator[Row]:
    states = [row["preset"] for row in list_rows()]
    yield _row("presets", "shipped", str(states.count(store.SHIPPED)), str(store.ROOT))
    yield _row("presets", "your own", str(states.count(store.OWN)), str(store.home()))
    exports = {
        name: [key for key in FOLDERS if (store.exports_of(store.folder_of(name)) / key).is_dir()]
        for name in store.names()
    }
    for key in FOLDERS:
        if count := sum(key in found for found in exports.values()):
            yield _row("exports", key, str(count), "presets with an export")
    yield _row("folder", "cache", OK if store.cache().is_dir() else "empty", str(store.cache()))
    root = data_root()
    found = [name for name in corpora() if (root / name).is_dir()]
    note = f"{root}; {', '.join(found) or 'zoo fetch CORPUS downloads one'}"
    yield _row("folder", "corpora", str(len(found)), note)


def _variables() -> Iterator[Row]:
    """Yield a row for each environment variable of the zoo; a value may be private."""
    for name in sorted(os.environ):
        if name.startswith("ZOO_") or name in ("KERAS_BACKEND", "KERAS_HOME"):
            yield _row("variable", name, "set")
