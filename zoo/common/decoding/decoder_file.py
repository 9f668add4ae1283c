"""Read and write decoder files: the tuned options of a decoder as JSON.

    {"options": {"beam_width": 100, "lm_weight": 0.5, "word_bonus": 1.0}, "tuned": {...}}

`options` are numbers by name. `tuned` describes how they were found, for human readers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import read_file
from zoo.common.utils.files import atomic_file

MAX_FILE_BYTES = 2**20


def read_options(path: Path) -> dict[str, float]:
    """Return the options in a decoder file.

    Raises:
        ZooError: the file is missing or is not a decoder file.
    """
    try:
        content = json.loads(read_file(path, MAX_FILE_BYTES))
        options = dict(content["options"])
        valid = all(isinstance(value, int | float) for value in options.values())
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, ZooError):
            raise
        valid = False
    if not valid:
        raise ZooError(
            f"{path} is not a decoder file: it must be a JSON object with numbers under 'options', "
            "as `zoo tune-lm` writes it."
        )
    return options


def write_options(path: Path, options: Mapping[str, float], tuned: Mapping[str, Any]) -> None:
    """Write a decoder file.

    Args:
        path: the file.
        options: the options by name.
        tuned: how the options were found, JSON-ready.

    Raises:
        ZooError: the file cannot be written.
    """
    content = json.dumps({"options": dict(options), "tuned": dict(tuned)}, indent=2) + "\n"
    with atomic_file(path) as temporary:
        temporary.write_text(content, encoding="utf-8")
