"""Inputs of presets in requests: files, texts and arrays, and options of decoders.

The content of a file is written to a temporary file of a private folder. A client never names a path.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from zoo.api.options import decoder_options
from zoo.common.core.data import Data
from zoo.common.core.errors import ZooError, nearest
from zoo.common.core.recipe import Recipe

UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
MAX_NAME = 64  # characters of a name that are kept, at its end
# Names of files of which nothing is known, by the type of the content.
DEFAULT_NAME = "input"
# Suffixes by type of content, where the content itself does not show it.
SUFFIXES = {"application/json": ".json", "text/csv": ".csv", "application/inkml+xml": ".inkml"}


@dataclass(frozen=True)
class File:
    """A file in a request.

    Args:
        name: name in the answer. Its suffix may define how the file is read.
        content: the bytes.
    """

    name: str
    content: bytes


@dataclass(frozen=True)
class Request:
    """A request to a preset.

    Args:
        inputs: texts, arrays and files.
        options: options of the decoder by name.
    """

    inputs: list[str | np.ndarray | File]
    options: dict[str, Any]


def file_request(
    content: bytes, content_type: str, query: Mapping[str, Any], data: Data
) -> Request:
    """Return the request whose body is a file.

    Args:
        content: the body.
        content_type: its type, such as "audio/wav".
        query: options; `name` is the name of the file.
        data: the data kind of the preset. If it reads texts, the body is one, in UTF-8.

    Raises:
        ZooError: the body is empty, or is not valid UTF-8.
    """
    options = dict(query)
    name = str(options.pop("name", DEFAULT_NAME))
    if not content:
        raise ZooError("The body must be a file or a JSON object. Received: 0 bytes.")
    if data.accepts_text("text"):
        return Request([_utf8(content)], options)
    if not PurePosixPath(name).suffix:
        name += SUFFIXES.get(content_type, "")
    return Request([File(name, content)], options)


def json_request(content: bytes, data: Data, most: int) -> Request:
    """Return the request in a JSON object with `input` or `inputs`, and optionally `options`.

    Args:
        content: the body.
        data: the data kind of the preset.
        most: maximum number of inputs.

    Raises:
        ZooError: the body is not such an object.
    """
    body = parse_object(content)
    check_keys(body, ("input", "inputs", "options"))
    if ("input" in body) == ("inputs" in body):
        raise ZooError("The body must have 'input' or 'inputs'.")
    given = body["inputs"] if "inputs" in body else [body["input"]]
    if not isinstance(given, list) or not 0 < len(given) <= most:
        count = len(given) if isinstance(given, list) else type(given).__name__
        raise ZooError(f"inputs must be a list of 1 to {most} inputs. Received: {count}.")
    options = body.get("options", {})
    if not isinstance(options, dict):
        raise ZooError(f"options must be an object. Received: {type(options).__name__}.")
    return Request([_json_input(each, data) for each in given], options)


def parse_object(content: bytes) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        ZooError: the content is not UTF-8, not JSON, or not an object; or it has NaN or an infinite
            number, which JSON does not have.
    """
    try:
        body = json.loads(_utf8(content), parse_constant=_no_constant)
    except RecursionError:
        raise ZooError("The body is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise ZooError(f"The body must be JSON. Received: {error}.") from None
    if not isinstance(body, dict):
        raise ZooError(f"The body must be a JSON object. Received: {type(body).__name__}.")
    return body


def check_keys(given: Mapping[str, Any], valid: tuple[str, ...], what: str = "The body") -> None:
    """Check the keys of an object.

    Raises:
        ZooError: a key is unknown. The message has the nearest valid ones.
    """
    for key in given:
        if key not in valid:
            raise ZooError(f"{what} has no {key[:80]!r}. {nearest(key[:80], valid)}")


def _no_constant(text: str) -> Any:
    raise ZooError(f"Numbers must be finite. Received: {text}.")


def _utf8(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ZooError(
            f"The body must be UTF-8. Received: an invalid byte at {error.start}."
        ) from None


def _json_input(value: Any, data: Data) -> str | np.ndarray | File:
    """Return an input given as JSON: a text, an array, a file as {"b64": ...}, or the JSON of a file."""
    if isinstance(value, str):
        if not data.accepts_text(value):
            raise ZooError(
                'An input must be a file: send it as the body, or in JSON as {"b64": ...}. '
                "Received: a text."
            )
        return value
    if isinstance(value, list) and data.accepts_arrays:
        return _array(value)
    if isinstance(value, dict) and "b64" in value and not data.accepts_text("text"):
        check_keys(value, ("b64", "name"), "A file")
        return File(str(value.get("name", DEFAULT_NAME)), decode_base64(value["b64"]))
    if isinstance(value, dict) and data.accepts_arrays:
        return File(f"{DEFAULT_NAME}.json", json.dumps(value).encode())
    raise ZooError(f"An input of this preset cannot be {_kind(value)}. See /v1/presets.")


def decode_base64(value: Any) -> bytes:
    """Return the bytes of a base64 text. Raises `ZooError`."""
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise ZooError("b64 must be a text in base64.") from None


def _array(value: list[Any]) -> np.ndarray:
    try:
        array = np.array(value, np.float64)  # None becomes NaN
    except (TypeError, ValueError, OverflowError):
        array = np.zeros(0)
    if not array.size:
        raise ZooError("An array must have numbers only, and rows of the same length.")
    if np.isinf(array).any():
        raise ZooError("Numbers must be finite. Received: an infinite number.")
    return array


def _kind(value: Any) -> str:
    names: dict[type, str] = {list: "an array", dict: "an object", bool: "true or false"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else "null")


def check_options(name: str, recipe: Recipe, options: Mapping[str, Any]) -> None:
    """Check that a client may set options.

    Raises:
        ZooError: an option is unknown, or names a file. The message has the valid or nearest ones.
    """
    valid = client_options(recipe)
    for option in options:
        if option not in valid:
            hint = nearest(option[:80], valid) if valid else "It has no options."
            raise ZooError(f"{name} has no option {option[:80]!r}. {hint}")


def client_options(recipe: Recipe) -> dict[str, str]:
    """Return the options that a client may set, with their help. Files of the server are left out."""
    return {
        option: field.metadata["help"]
        for option, field in decoder_options(recipe).items()
        if not field.metadata.get("names_file")
    }


@contextmanager
def sources(inputs: list[str | np.ndarray | File]) -> Iterator[list[tuple[Any, str | None]]]:
    """Yield each input as `Task.predict` takes it, with the name of a file for its answer.

    Files exist until the block ends.
    """
    if not any(isinstance(each, File) for each in inputs):
        yield [(each, None) for each in inputs]
        return
    with tempfile.TemporaryDirectory(prefix="zoo-") as folder:
        found: list[tuple[Any, str | None]] = []
        for i, each in enumerate(inputs):
            if isinstance(each, File):
                path = Path(folder, str(i), _safe_name(each.name))
                path.parent.mkdir()
                path.write_bytes(each.content)
                found.append((str(path), PurePosixPath(each.name).name or DEFAULT_NAME))
            else:
                found.append((each, None))
        yield found


def _safe_name(name: str) -> str:
    """Return a file name without separators, a leading dot, or characters outside ASCII."""
    return UNSAFE.sub("_", PurePosixPath(name).name)[-MAX_NAME:].lstrip(".") or DEFAULT_NAME
