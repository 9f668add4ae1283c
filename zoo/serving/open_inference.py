"""The messages and methods of the gRPC interface of the Open Inference Protocol (V2).

They follow the published definition, `grpc_predict_v2.proto`. Packages with its generated code
(kserve, tritonclient) need an older version of protobuf than TensorFlow's newest, so the messages are
made from the descriptions below.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE, FILE = "inference", "zoo/open_inference.proto"
SERVICE = f"{PACKAGE}.GRPCInferenceService"
METHODS = (
    "ServerLive",
    "ServerReady",
    "ServerMetadata",
    "ModelReady",
    "ModelMetadata",
    "ModelInfer",
)

# Fields by message: "type name = number". "*" after a type is a repeated field, and "{}" a map from
# names to values of a type.
_MODEL = ("string name = 1", "string version = 2")
_PARAMETERS = "InferParameter{} parameters"
_TENSOR = (
    "string name = 1",
    "string datatype = 2",
    "int64* shape = 3",
    f"{_PARAMETERS} = 4",
    "InferTensorContents contents = 5",
)
_OF_MODEL = (
    "string model_name = 1",
    "string model_version = 2",
    "string id = 3",
    f"{_PARAMETERS} = 4",
)
MESSAGES: Mapping[str, tuple[str, ...]] = {
    "ServerLiveRequest": (),
    "ServerLiveResponse": ("bool live = 1",),
    "ServerReadyRequest": (),
    "ServerReadyResponse": ("bool ready = 1",),
    "ServerMetadataRequest": (),
    "ServerMetadataResponse": ("string name = 1", "string version = 2", "string* extensions = 3"),
    "ModelReadyRequest": _MODEL,
    "ModelReadyResponse": ("bool ready = 1",),
    "ModelMetadataRequest": _MODEL,
    "ModelMetadataResponse": (
        "string name = 1",
        "string* versions = 2",
        "string platform = 3",
        "ModelMetadataResponse.TensorMetadata* inputs = 4",
        "ModelMetadataResponse.TensorMetadata* outputs = 5",
    ),
    "ModelMetadataResponse.TensorMetadata": (
        "string name = 1",
        "string datatype = 2",
        "int64* shape = 3",
    ),
    "ModelInferRequest": (
        *_OF_MODEL,
        "ModelInferRequest.InferInputTensor* inputs = 5",
        "ModelInferRequest.InferRequestedOutputTensor* outputs = 6",
        "bytes* raw_input_contents = 7",
    ),
    "ModelInferRequest.InferInputTensor": _TENSOR,
    "ModelInferRequest.InferRequestedOutputTensor": ("string name = 1", f"{_PARAMETERS} = 2"),
    "ModelInferResponse": (
        *_OF_MODEL,
        "ModelInferResponse.InferOutputTensor* outputs = 5",
        "bytes* raw_output_contents = 6",
    ),
    "ModelInferResponse.InferOutputTensor": _TENSOR,
    # The fields of this message exclude each other.
    "InferParameter": ("bool bool_param = 1", "int64 int64_param = 2", "string string_param = 3"),
    "InferTensorContents": (
        "bool* bool_contents = 1",
        "int32* int_contents = 2",
        "int64* int64_contents = 3",
        "uint32* uint_contents = 4",
        "uint64* uint64_contents = 5",
        "float* fp32_contents = 6",
        "double* fp64_contents = 7",
        "bytes* bytes_contents = 8",
    ),
}
_CHOICE = {"InferParameter": "parameter_choice"}

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    name: getattr(_Field, f"TYPE_{name.upper()}")
    for name in (
        "bool", "bytes", "double", "float", "int32", "int64", "string", "uint32", "uint64",
    )
}  # fmt: skip


@functools.cache
def messages() -> dict[str, Any]:
    """Return the class of each message by its name."""
    file = descriptor_pb2.FileDescriptorProto(name=FILE, package=PACKAGE, syntax="proto3")
    made: dict[str, Any] = {}
    for name, fields in MESSAGES.items():
        outer, _, inner = name.rpartition(".")
        made[name] = (made[outer].nested_type if outer else file.message_type).add(
            name=inner or name
        )
        choice = _CHOICE.get(name)
        if choice:
            made[name].oneof_decl.add(name=choice)
        for text in fields:
            field = _add_field(made[name], name, text)
            if choice:
                field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()  # its own, so that a client's messages do not collide
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))
        for name in MESSAGES
    }


def _add_field(message: Any, message_name: str, text: str) -> Any:
    kind, name, _, number = text.split()
    field = message.field.add(name=name, number=int(number), label=_Field.LABEL_OPTIONAL)
    bare = kind.rstrip("*{}")
    if kind != bare:
        field.label = _Field.LABEL_REPEATED
    if kind.endswith("{}"):
        entry = message.nested_type.add(name=f"{name.title()}Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_STRING)
        value = entry.field.add(name="value", number=2, label=_Field.LABEL_OPTIONAL)
        _set_type(value, bare)
        _set_type(field, f"{message_name}.{entry.name}")
    else:
        _set_type(field, bare)
    return field


def _set_type(field: Any, kind: str) -> None:
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
