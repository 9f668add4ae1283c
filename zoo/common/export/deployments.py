"""Files for KServe, Triton and TensorFlow Serving, next to the export that they serve."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ExportError, ZooError
from zoo.common.export import SERVERS, exporter, parity
from zoo.common.export.signature import SIGNATURE_FILE
from zoo.common.presets.integrity import check_seal
from zoo.common.presets.runs import read_json
from zoo.common.runtime import export_folder
from zoo.common.runtime.preset import Preset
from zoo.common.utils.files import atomic_folder, write_text

COMMANDS_FILE = "COMMANDS.md"
IMAGE = "recurrent-zoo"
MAX_BATCH = 32
# Types of Triton by the names of NumPy.
TYPES = {"float32": "TYPE_FP32", "int32": "TYPE_INT32", "int64": "TYPE_INT64", "bool": "TYPE_BOOL"}


def deploy(server: str, preset: Preset, folder: Path) -> list[dict[str, Any]]:
    """Write the files for a server to `folder/<server>`, and the export it serves unless it exists.

    Args:
        server: one of `zoo.common.export.SERVERS`.
        preset: the preset.
        folder: folder of the exports.

    Returns:
        The rows of the new exports, and one for the folder.

    Raises:
        ZooError: the preset cannot be exported, or the folder cannot be written.
    """
    format_, target, rows = SERVERS[server], folder / server, []
    try:
        check_seal(export_folder(format_, folder), preset.folder, preset.recipe, format_)
    except ExportError:
        rows = exporter(format_)(preset, folder)
    if target.exists() and not (target / COMMANDS_FILE).exists():
        raise ZooError(
            f"{target} exists and has no {COMMANDS_FILE}. Remove it or choose another folder."
        )
    with atomic_folder(target, replace=True) as temporary:
        _WRITERS[server](model_name(preset.name), export_folder(format_, folder), temporary)
        size = sum(file.stat().st_size for file in temporary.rglob("*") if file.is_file())
    return [*rows, parity.row(server, target, size, None, 0.0, None)]


def model_name(preset: str) -> str:
    """Return the last part of the name of a preset as a name of DNS, which all servers accept."""
    name = re.sub("[^a-z0-9-]+", "-", Path(preset).name.lower()).strip("-")
    return name[:50] or "model"


def _write_kserve(name: str, export: Path, folder: Path) -> None:
    """Write an InferenceService that runs the server of the zoo in a container."""
    write_text(
        folder / "inference-service.yaml",
        f"""\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: {name}
spec:
  predictor:
    containers:
      - name: kserve-container
        image: {IMAGE}
        args: ["{name}=/mnt/models", "--host", "0.0.0.0", "--port", "8080"]
        env:
          - name: STORAGE_URI
            value: pvc://models/{name}
        ports:
          - containerPort: 8080
            protocol: TCP
        readinessProbe:
          httpGet:
            path: /v2/health/ready
            port: 8080
        resources:
          requests:
            cpu: "1"
            memory: 512Mi
          limits:
            memory: 2Gi
""",
    )
    _write_commands(
        folder,
        f"""\
Build the image with the Dockerfile of the zoo, copy {export.parent.name}/ to {name}/ of the volume
`models`, and apply the service:

    docker build -t {IMAGE} .
    kubectl apply -f inference-service.yaml
""",
    )


def _write_triton(name: str, export: Path, folder: Path) -> None:
    """Write a model repository with one model for each graph."""
    graphs = read_json(export / SIGNATURE_FILE)["graphs"]
    for graph, tensors in graphs.items():
        model = name if len(graphs) == 1 else f"{name}-{graph}"
        (folder / model / "1").mkdir(parents=True)
        shutil.copyfile(export / f"{graph}.onnx", folder / model / "1" / "model.onnx")
        inputs, outputs = (_triton_tensors(tensors[side]) for side in ("inputs", "outputs"))
        write_text(
            folder / model / "config.pbtxt",
            f'name: "{model}"\nbackend: "onnxruntime"\nmax_batch_size: {MAX_BATCH}\n'
            f"input [\n{inputs}\n]\noutput [\n{outputs}\n]\n"
            "instance_group [ { count: 1 kind: KIND_CPU } ]\n",
        )
    _write_commands(
        folder,
        """\
    docker run --rm -p 8000:8000 -p 8001:8001 -v "$PWD:/models" nvcr.io/nvidia/tritonserver:26.09-py3 \\
        tritonserver --model-repository=/models
""",
    )


def _triton_tensors(tensors: dict[str, Any]) -> str:
    """Return tensors without the axis of the batch. One number per row has the shape [1] outside."""

    def one(name: str, tensor: dict[str, Any]) -> str:
        sizes = [-1 if isinstance(size, str) else size for size in tensor["shape"][1:]]
        shape = "dims: [ 1 ] reshape: { shape: [ ] }"
        if sizes:
            shape = f"dims: [ {', '.join(map(str, sizes))} ]"
        return f'  {{ name: "{name}" data_type: {TYPES[tensor["dtype"]]} {shape} }}'

    return ",\n".join(one(name, tensor) for name, tensor in tensors.items())


def _write_tfserving(name: str, export: Path, folder: Path) -> None:
    """Write the configuration of TensorFlow Serving, which reads the folder above."""
    write_text(
        folder / "models.config",
        f"""\
model_config_list {{
  config {{
    name: "{name}"
    base_path: "/exports"
    model_platform: "tensorflow"
  }}
}}
""",
    )
    _write_commands(
        folder,
        """\
    docker run --rm -p 8500:8500 -p 8501:8501 -v "$PWD/..:/exports" -v "$PWD:/config" \\
        tensorflow/serving --model_config_file=/config/models.config
""",
    )


def _write_commands(folder: Path, commands: str) -> None:
    write_text(folder / COMMANDS_FILE, f"# Commands, in this folder\n\n{commands}")


_WRITERS: dict[str, Callable[[str, Path, Path], None]] = {
    "kserve": _write_kserve,
    "triton": _write_triton,
    "tfserving": _write_tfserving,
}
