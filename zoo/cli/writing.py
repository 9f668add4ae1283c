"""Answers in the format that was asked for: on stdout, in one file, or in a folder with a file for each
input, which is filled again until every input is done."""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.cli.decoding import given_options
from zoo.cli.output import error_line, one_line, print_line, shown
from zoo.common.core.errors import ZooError, check_choice
from zoo.common.core.formats import Format, csv_row
from zoo.common.core.recipe import Recipe
from zoo.common.presets import store
from zoo.common.presets.integrity import preset_digests
from zoo.common.presets.runs import read_json, write_json
from zoo.common.utils.files import atomic_file
from zoo.common.utils.progress import progress, say

TEXT, JSON = "text", "json"
# In a folder of answers: what they were made with, and the inputs that could not be read.
SETTINGS_FILE, ERRORS_FILE = "predict.json", "errors.csv"

Answers = Iterable[dict[str, Any]]


@dataclass(frozen=True)
class Input:
    """An input as `Task.predict` takes it, and what the file with its answer is called after."""

    source: str
    name: str


def expand(recipe: Recipe, inputs: Sequence[str]) -> list[Input]:
    """Return every input that a user means: see `Data.find_inputs`. A bad folder stays as it is."""
    found = []
    for number, given in enumerate(inputs, start=1):
        try:
            sources = recipe.data.find_inputs(given)
        except ZooError:
            sources = [given]
        for source in sources:
            if source != given:
                name = os.path.relpath(source, given)
            else:
                name = os.path.basename(source) if os.path.exists(source) else f"{number:04}"
            found.append(Input(source, name))
    return found


def find_format(
    recipe: Recipe, options: argparse.Namespace, text: Callable[[dict[str, Any]], str]
) -> Format:
    """Return the format that was asked for.

    Args:
        recipe: its task offers formats beside the text and JSON of every preset.
        options: the arguments of `zoo predict`. text: of an answer, for a person to read.

    Raises:
        ZooError: there is no such format, or two were asked for.
    """
    if options.format and not options.out and (options.json or options.jsonl):
        raise ZooError("--format excludes --json and --jsonl, but with --out.")

    def lines(answers: Answers) -> Iterator[str]:
        return map(text, answers)

    def all_in_one(answers: Answers) -> Iterator[str]:
        yield json.dumps({"preset": options.preset, "predictions": list(answers)})

    formats = {TEXT: Format(".txt", lines), JSON: Format(".json", all_in_one)}
    formats |= recipe.task.formats(recipe)
    name = options.format or TEXT
    check_choice("--format", name, formats)
    return formats[name]


def print_formatted(
    form: Format, inputs: Sequence[Input], answers: Callable[[list[str]], Answers]
) -> int:
    """Print answers in a format, and an error for each bad input to stderr.

    Returns:
        The exit status: 1 if one of the answers is an error.

    Raises:
        ZooError: the format takes one input, and there are several.
    """
    _check_joins(form, inputs)
    rows: list[dict[str, Any]] = []
    for line in form.lines(_noted(_answers(inputs, answers), "", rows)):
        print_line(line)
    errors = [row["error"] for row in rows if "error" in row]
    for error in errors:
        say("zoo: " + one_line(error))
    return int(bool(errors))


def write(
    form: Format,
    options: argparse.Namespace,
    recipe: Recipe,
    inputs: Sequence[Input],
    answers: Callable[[list[str]], Answers],
) -> Iterator[dict[str, Any]]:
    """Write answers to `--out` and yield for each input its `file` or its `error`.

    A path that is no folder yet and has a suffix is one file.

    Args:
        recipe: of the preset. answers: of the sources of inputs, to an answer each.

    Raises:
        ZooError: a file cannot be written, or a folder holds something else.
    """
    out = Path(options.out)
    if out.is_dir() or options.out.endswith(os.sep) or not out.suffix:
        yield from _write_folder(form, options, recipe, inputs, answers)
        return
    _check_joins(form, inputs)
    rows: list[dict[str, Any]] = []
    _write(out, form.lines(_noted(_answers(inputs, answers), str(out), rows)))
    yield from rows


def file_text(row: dict[str, Any]) -> str:
    """Return what `write` yields for a person to read."""
    return error_line(row) if "error" in row else f"{shown(row['input'])}: {shown(row['file'])}"


def _write_folder(
    form: Format,
    options: argparse.Namespace,
    recipe: Recipe,
    inputs: Sequence[Input],
    answers: Callable[[list[str]], Answers],
) -> Iterator[dict[str, Any]]:
    """A file for each input in a folder that may hold some of them already."""
    folder = Path(options.out)
    paths = _paths(folder, inputs, form.suffix)
    _claim(folder, options, recipe, paths)
    todo = [(i, path) for i, path in zip(inputs, paths, strict=True) if not path.exists()]
    if len(todo) < len(inputs):
        say(f"{len(inputs) - len(todo)} of {len(inputs)} inputs are done already: {folder}")
    (folder / ERRORS_FILE).unlink(missing_ok=True)
    errors = [("input", "error")]
    answered = _answers([i for i, _ in todo], answers)
    for (_, path), answer in zip(todo, answered, strict=True):
        if "error" in answer:
            errors.append((answer["input"], answer["error"]))
            _write(folder / ERRORS_FILE, map(csv_row, errors))
            yield {"input": answer["input"], "error": answer["error"]}
        else:
            _write(path, form.lines([answer]))
            yield {"input": answer["input"], "file": str(path)}


def _answers(inputs: Sequence[Input], answers: Callable[[list[str]], Answers]) -> Answers:
    """The answers to inputs, with a bar; none without opening a model where there are no inputs."""
    sources = [i.source for i in inputs]
    return progress(answers(sources) if sources else (), "Predicting", len(sources), "input")


def _paths(folder: Path, inputs: Sequence[Input], suffix: str) -> list[Path]:
    """The file for the answer to each input: called as the input, without its suffix if that is enough
    to tell the files apart.

    Raises:
        ZooError: two inputs are called the same.
    """
    stems = [str(Path(i.name).with_suffix("")) for i in inputs]
    counts = Counter(stems)
    names = [i.name if counts[stem] > 1 else stem for i, stem in zip(inputs, stems, strict=True)]
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise ZooError(f"{folder} can hold one answer for {name!r}. Received: {count} such inputs.")
    return [folder / (name + suffix) for name in names]


def _claim(
    folder: Path, options: argparse.Namespace, recipe: Recipe, paths: Sequence[Path]
) -> None:
    """Write down what the answers in a folder are made with.

    Raises:
        ZooError: those in it are made with something else, or are no answers.
    """
    settings = {
        "preset": options.preset,
        "format": options.format or TEXT,
        "options": {key: str(value) for key, value in sorted(given_options(options).items())},
        "files": preset_digests(store.find(options.preset), recipe),
    }
    path = folder / SETTINGS_FILE
    if path.exists():
        held = read_json(path)
        held = held if isinstance(held, dict) else {}
        if other := [key for key, value in settings.items() if held.get(key) != value]:
            raise ZooError(
                f"{folder} holds answers of other settings ({', '.join(other)}), see {path}. "
                "Name another folder."
            )
        return
    if there := [path for path in paths if path.exists()]:
        raise ZooError(f"{there[0]} exists already, and is no answer. Name another folder.")
    write_json(path, settings)


def _check_joins(form: Format, inputs: Sequence[Input]) -> None:
    if len(inputs) > 1 and not form.joins:
        raise ZooError(
            "A file of this format has one input: name a folder with --out. "
            f"Received: {len(inputs)} inputs."
        )


def _noted(answers: Answers, file: str, rows: list[dict[str, Any]]) -> Answers:
    """The same answers; each leaves its input and file or error in `rows`."""
    for answer in answers:
        about = {"error": answer["error"]} if "error" in answer else {"file": file}
        rows.append({"input": answer["input"]} | about)
        yield answer


def _write(path: Path, lines: Iterable[str]) -> None:
    """Write lines atomically. A name in them need not be text."""
    with (
        atomic_file(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="surrogateescape") as file,
    ):
        file.writelines(line + "\n" for line in lines)
