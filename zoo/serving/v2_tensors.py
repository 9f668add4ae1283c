"""Tensors of the Open Inference Protocol (V2), as JSON and as bytes."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError, check_choice
from zoo.serving.graphs import STRING, TensorSpec

BYTES = "BYTES"
DATATYPES = {
    "BOOL": "bool",
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "UINT64": "uint64",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
    BYTES: STRING,
}
NAMES = {dtype: datatype for datatype, dtype in DATATYPES.items()}
_LENGTH = struct.Struct("<I")


def datatype_of(array: np.ndarray) -> str:
    """Return the datatype of an array."""
    return NAMES.get(array.dtype.name, BYTES)


def described(spec: TensorSpec) -> dict[str, Any]:
    """Return a tensor of a graph as the metadata of a model has it; -1 for a free axis."""
    shape = [-1 if isinstance(size, str) else size for size in spec.shape]
    return {"name": spec.name, "datatype": NAMES[spec.dtype], "shape": shape}


def from_values(name: str, datatype: str, shape: Sequence[Any], values: Any) -> np.ndarray:
    """Return an array of values in lists, flat or nested.

    Raises:
        ZooError: the datatype is unknown, or the values do not fit it or the shape.
    """
    sizes = checked_shape(name, shape)
    check_choice(f"The datatype of {name}", datatype, DATATYPES)
    try:
        if datatype == BYTES:
            found = np.array([_encoded(each) for each in _flat(values)], object)
        else:
            found = np.array(values)
            wanted = np.dtype(DATATYPES[datatype])
            allowed = {"f": "iuf", "i": "iu", "u": "iu", "b": "b"}[wanted.kind]
            cast = found.astype(wanted)
            if found.size and (
                found.dtype.kind not in allowed
                or (wanted.kind in "iu" and not np.array_equal(cast, found))
            ):
                raise ValueError
            found = cast
        return found.reshape(sizes)
    except (ValueError, TypeError, OverflowError, AttributeError):
        raise ZooError(
            f"The data of {name} must be {_count(sizes)} values of the datatype {datatype}."
        ) from None


def from_bytes(name: str, datatype: str, shape: Sequence[Any], content: bytes) -> np.ndarray:
    """Return an array of its bytes: little-endian, elements of BYTES after their length.

    Raises:
        ZooError: the datatype is unknown, or the number of bytes does not fit the shape.
    """
    sizes = checked_shape(name, shape)
    check_choice(f"The datatype of {name}", datatype, DATATYPES)
    if datatype == BYTES:
        found = _split(content)
        if found is not None and len(found) == _count(sizes):
            return np.array(found, object).reshape(sizes)
        raise ZooError(f"The data of {name} must be {_count(sizes)} elements with their lengths.")
    dtype = np.dtype(DATATYPES[datatype]).newbyteorder("<")
    if len(content) != dtype.itemsize * _count(sizes):
        raise ZooError(
            f"The data of {name} must have {dtype.itemsize * _count(sizes)} bytes. "
            f"Received: {len(content)}."
        )
    return np.frombuffer(content, dtype).reshape(sizes)


def to_bytes(array: np.ndarray) -> bytes:
    """Return the bytes of an array, as `from_bytes` reads them."""
    if datatype_of(array) == BYTES:
        return b"".join(_LENGTH.pack(len(each)) + each for each in map(_encoded, array.flat))
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def to_values(array: np.ndarray) -> list[Any]:
    """Return the elements of an array as a flat list for JSON."""
    if datatype_of(array) == BYTES:
        return [_encoded(each).decode(errors="replace") for each in array.flat]
    return array.ravel().tolist()


def checked_shape(name: str, shape: Any) -> tuple[int, ...]:
    """Return a shape. Raises `ZooError` if it is not a list of sizes."""
    valid = isinstance(shape, Sequence) and not isinstance(shape, str | bytes)
    if not valid or not all(type(size) is int and 0 <= size < 2**31 for size in shape):
        raise ZooError(f"The shape of {name} must be a list of integers from 0.")
    return tuple(shape)


def _count(sizes: tuple[int, ...]) -> int:
    count = 1
    for size in sizes:
        count *= size
    return count


def _flat(values: Any) -> list[Any]:
    return [one for each in values for one in _flat(each)] if isinstance(values, list) else [values]


def _encoded(value: Any) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def _split(content: bytes) -> list[bytes] | None:
    """Return the elements of BYTES; None if the lengths do not fit."""
    found, at = [], 0
    while at < len(content):
        if at + _LENGTH.size > len(content):
            return None
        (length,) = _LENGTH.unpack_from(content, at)
        at += _LENGTH.size
        if at + length > len(content):
            return None
        found.append(content[at : at + length])
        at += length
    return found
