"""Write answers in a format: as lines, into one file, or into a folder with one file per input.

An interrupted folder is completed by the same call: existing files are skipped.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.api.predict import find_inputs
from zoo.common.core.capabilities import OutputFormats
from zoo.common.core.errors import ZooError, check_choice
from zoo.common.core.formats import Format, csv_row
from zoo.common.core.recipe import Recipe
from zoo.common.presets import store
from zoo.common.presets.integrity import preset_digests
from zoo.common.presets.runs import read_json, write_json
from zoo.common.utils.files import atomic_file
from zoo.common.utils.progress import progress, say

TEXT, JSON = "text", "json"
# Files in a folder of answers: the settings of the answers, and the inputs that could not be read.
SETTINGS_FILE, ERRORS_FILE = "predict.json", "errors.csv"

Answers = Iterable[dict[str, Any]]
# Maps inputs to one answer per input.
Answerer = Callable[[list[str]], Answers]


@dataclass(frozen=True)
class Input:
    """An input of `Task.predict`.

    Args:
        source: the input.
        name: name of the file with its answer, before the suffix is replaced.
    """

    source: str
    name: str


@dataclass(frozen=True)
class Request:
    """The settings of the answers in a folder.

    Args:
        preset: name of the preset.
        recipe: its recipe.
        format: name of the format.
        options: options of the decoder.
    """

    preset: str
    recipe: Recipe
    format: str
    options: Mapping[str, Any]


def expand(recipe: Recipe, inputs: Sequence[str]) -> list[Input]:
    """Return the inputs, with the files of each folder and the lines of each file of texts.

    An invalid folder or file is returned as it is.
    """
    found = []
    for number, given in enumerate(inputs, start=1):
        try:
            sources = find_inputs(recipe.data, given)
        except ZooError:
            sources = [given]
        for line, source in enumerate(sources, start=1):
            if os.path.isfile(given) and (source != given or len(sources) > 1):
                stem, suffix = os.path.splitext(os.path.basename(given))
                name = f"{stem}-{line:04}{suffix}"
            elif source != given:
                name = os.path.relpath(source, given)
            else:
                name = os.path.basename(source) if os.path.exists(source) else f"{number:04}"
            found.append(Input(source, name))
    return found


def find_format(request: Request, text: Callable[[dict[str, Any]], str]) -> Format:
    """Return the format of a request.

    Args:
        request: the request.
        text: returns an answer as text, for the format "text".

    Raises:
        ZooError: the preset does not have the format.
    """

    def lines(answers: Answers) -> Iterator[str]:
        return map(text, answers)

    def all_in_one(answers: Answers) -> Iterator[str]:
        yield json.dumps({"preset": request.preset, "predictions": list(answers)})

    formats = {TEXT: Format(".txt", lines), JSON: Format(".json", all_in_one)}
    recipe = request.recipe
    if isinstance(recipe.data, OutputFormats):
        formats |= recipe.data.formats(recipe.task, recipe.model, recipe.decoder)
    check_choice("--format", request.format, formats)
    return formats[request.format]


def formatted_lines(
    form: Format, inputs: Sequence[Input], answers: Answerer, errors: list[str]
) -> Iterator[str]:
    """Yield the lines of the answers in a format.

    Args:
        form: the format.
        inputs: the inputs.
        answers: answers the inputs.
        errors: receives the error of each invalid input.

    Raises:
        ZooError: the format takes one input only.
    """
    _check_joins(form, inputs)
    rows: list[dict[str, Any]] = []
    yield from form.lines(_recorded(_answer(inputs, answers), "", rows))
    errors += [row["error"] for row in rows if "error" in row]


def write(
    form: Format, request: Request, inputs: Sequence[Input], answers: Answerer, out: str
) -> Iterator[dict[str, Any]]:
    """Write answers and yield the `file` or the `error` of each input.

    Args:
        form: result of `find_format`.
        request: the request.
        inputs: the inputs.
        answers: answers the inputs.
        out: one file if it has a suffix and is not an existing folder; else a folder.

    Raises:
        ZooError: a file cannot be written, or the folder holds other files.
    """
    path = Path(out)
    if path.is_dir() or out.endswith(os.sep) or not path.suffix:
        yield from _write_folder(form, request, inputs, answers, path)
        return
    _check_joins(form, inputs)
    rows: list[dict[str, Any]] = []
    _write(path, form.lines(_recorded(_answer(inputs, answers), out, rows)))
    yield from rows


def _write_folder(
    form: Format, request: Request, inputs: Sequence[Input], answers: Answerer, folder: Path
) -> Iterator[dict[str, Any]]:
    """Write one file per input into a folder. Existing files are skipped."""
    paths = _paths(folder, inputs, form.suffix)
    _claim(folder, request, paths)
    missing = [(i, path) for i, path in zip(inputs, paths, strict=True) if not path.exists()]
    if len(missing) < len(inputs):
        say(f"{len(inputs) - len(missing)} of {len(inputs)} inputs are done already: {folder}")
    (folder / ERRORS_FILE).unlink(missing_ok=True)
    errors = [("input", "error")]
    answered = _answer([i for i, _ in missing], answers)
    for (_, path), answer in zip(missing, answered, strict=True):
        if "error" in answer:
            errors.append((answer["input"], answer["error"]))
            _write(folder / ERRORS_FILE, map(csv_row, errors))
            yield {"input": answer["input"], "error": answer["error"]}
        else:
            _write(path, form.lines([answer]))
            yield {"input": answer["input"], "file": str(path)}


def _answer(inputs: Sequence[Input], answers: Answerer) -> Answers:
    """Return the answers to inputs, with a progress bar. Without inputs, no model is opened."""
    sources = [i.source for i in inputs]
    return progress(answers(sources) if sources else (), "Predicting", len(sources), "input")


def _paths(folder: Path, inputs: Sequence[Input], suffix: str) -> list[Path]:
    """Return the file for the answer to each input.

    It has the name of the input, without the suffix of the input if the names remain different and are
    not those of other files in the folder.

    Raises:
        ZooError: two inputs have the same name, or an input without a suffix has that of such a file.
    """
    stems = [str(Path(i.name).with_suffix("")) for i in inputs]
    counts = Counter(stem.lower() for stem in stems)  # some file systems ignore case

    def is_used(name: str) -> bool:
        return (name + suffix).lower() in (SETTINGS_FILE, ERRORS_FILE)

    names = [
        i.name if counts[stem.lower()] > 1 or is_used(stem) else stem
        for i, stem in zip(inputs, stems, strict=True)
    ]
    if used := list(filter(is_used, names)):
        raise ZooError(f"{folder} cannot hold an answer for {used[0]!r}: rename the input.")
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise ZooError(f"{folder} can hold one answer for {name!r}. Received: {count} such inputs.")
    return [folder / (name + suffix) for name in names]


def _claim(folder: Path, request: Request, paths: Sequence[Path]) -> None:
    """Write the settings of the answers into their folder.

    Raises:
        ZooError: the folder holds answers with other settings, or other files.
    """
    settings = {
        "preset": request.preset,
        "format": request.format,
        "options": {key: str(value) for key, value in sorted(request.options.items())},
        "files": preset_digests(store.find(request.preset), request.recipe),
    }
    path = folder / SETTINGS_FILE
    if path.exists():
        held = read_json(path)
        held = held if isinstance(held, dict) else {}
        if other := [key for key, value in settings.items() if held.get(key) != value]:
            raise ZooError(
                f"{folder} holds answers of other settings ({', '.join(other)}), see {path}. "
                "Choose another folder."
            )
        return
    if existing := [path for path in paths if path.exists()]:
        raise ZooError(f"{existing[0]} already exists and is not an answer. Choose another folder.")
    write_json(path, settings)


def _check_joins(form: Format, inputs: Sequence[Input]) -> None:
    if len(inputs) > 1 and not form.joins:
        raise ZooError(
            "A file of this format has one input: choose a folder with --out. "
            f"Received: {len(inputs)} inputs."
        )


def _recorded(answers: Answers, file: str, rows: list[dict[str, Any]]) -> Answers:
    """Yield the answers, and append the input and the file or error of each to `rows`."""
    for answer in answers:
        result = {"error": answer["error"]} if "error" in answer else {"file": file}
        rows.append({"input": answer["input"]} | result)
        yield answer


def _write(path: Path, lines: Iterable[str]) -> None:
    """Write lines atomically. File names in them need not be valid Unicode."""
    with (
        atomic_file(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="surrogateescape") as file,
    ):
        file.writelines(line + "\n" for line in lines)
