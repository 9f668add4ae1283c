"""Fixtures of the tests of the Python API."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import AN4


@pytest.fixture
def renamed_splits(tmp_path):
    """Return a function that writes a manifest of AN4 with the splits of its lines renamed."""

    def write(rename) -> Path:
        header, *lines = (AN4 / "utterances.tsv").read_text().splitlines()
        rows = [rename(line).split("\t") for line in lines]
        for row in rows:  # the audio is in the folder of its split
            folder = tmp_path / row[header.split("\t").index("split")]
            if not folder.exists():
                shutil.copytree(AN4 / "test", folder)
                shutil.copytree(AN4 / "train", folder, dirs_exist_ok=True)
        path = tmp_path / "own.tsv"
        path.write_text("\n".join([header, *map("\t".join, rows)]))
        return path

    return write
