"""Run `zoo lab` once per set of arguments, and check its files."""

import contextlib
import functools
import io
import json
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from zoo.cli.main import main


class Written(NamedTuple):
    """The numbers and the names of the PNG files that an experiment wrote."""

    numbers: dict[str, Any]
    pictures: set[str]


@functools.cache
def lab(*arguments: str) -> Written:
    """Run `zoo lab`, and check that stderr is empty and that no picture is blank."""
    with tempfile.TemporaryDirectory() as name:
        folder, out, err = Path(name) / "out", io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main(["lab", *arguments, "--out", str(folder)])
        assert (status, err.getvalue()) == (0, "")
        assert str(folder / "numbers.json") in out.getvalue().splitlines()
        pictures = set(folder.iterdir()) - {folder / "numbers.json"}
        assert pictures
        for path in pictures:
            with Image.open(path) as picture:
                assert picture.format == "PNG"
                assert picture.width > 400
                assert np.asarray(picture.convert("L")).std() > 5
        numbers = json.loads((folder / "numbers.json").read_text("utf-8"))
    return Written(numbers, {path.name for path in pictures})
