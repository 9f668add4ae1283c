"""Test the files for KServe, Triton and TensorFlow Serving with the libraries that define them."""

import json
import re
import shutil

import pytest

import zoo
from zoo.common.core.errors import ZooError
from zoo.common.export.deployments import model_name

HELLO = "language/charlstm-hello"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, hello_savedmodel):
    """Return a folder with exports and the files for the three servers."""
    folder = shutil.copytree(hello_savedmodel, tmp_path_factory.mktemp("servers") / "hello")
    result = zoo.export(HELLO, ["kserve", "triton", "tfserving"], folder)
    assert [row["format"] for row in result.files] == ["kserve", "triton", "tfserving"]
    return folder


@pytest.mark.slow
def test_a_missing_export_is_written_first(tmp_path):
    result = zoo.export(HELLO, "triton", tmp_path / "hello")
    assert [row["format"] for row in result.files] == ["onnx", "triton"]


@pytest.mark.slow
def test_triton_has_the_tensors_of_each_graph(folder):
    model = folder / "triton" / "charlstm-hello"
    config = (model / "config.pbtxt").read_text()
    graph = json.loads((folder / "onnx" / "signature.json").read_text())["graphs"]["step"]
    assert all(f'name: "{name}"' in config for name in (*graph["inputs"], *graph["outputs"]))
    assert (model / "1" / "model.onnx").read_bytes() == (folder / "onnx" / "step.onnx").read_bytes()
    assert 'name: "tokens" data_type: TYPE_INT32 dims: [ -1 ]' in config


@pytest.mark.slow
def test_triton_reads_its_config(folder):
    messages = pytest.importorskip("tritonclient.grpc.model_config_pb2")
    from google.protobuf import text_format

    text = (folder / "triton" / "charlstm-hello" / "config.pbtxt").read_text()
    config = text_format.Parse(text, messages.ModelConfig())
    assert (config.name, config.backend) == ("charlstm-hello", "onnxruntime")
    assert config.input[0].name == "tokens"


@pytest.mark.slow
def test_tensorflow_serving_reads_its_config(folder):
    messages = pytest.importorskip("tensorflow_serving.config.model_server_config_pb2")
    from google.protobuf import text_format

    text = (folder / "tfserving" / "models.config").read_text()
    (config,) = text_format.Parse(text, messages.ModelServerConfig()).model_config_list.config
    assert (config.name, config.model_platform) == ("charlstm-hello", "tensorflow")


@pytest.mark.slow
def test_kserve_has_the_service(folder):
    yaml = pytest.importorskip("yaml")
    service = yaml.safe_load((folder / "kserve" / "inference-service.yaml").read_text())
    assert service["metadata"] == {"name": "charlstm-hello"}
    (container,) = service["spec"]["predictor"]["containers"]
    assert container["args"][0] == "charlstm-hello=/mnt/models"


def unknown_fields(kind: str, value, libraries, path: str = "") -> list[str]:
    """Return the fields of a value that the classes of the libraries do not have."""
    inner = re.fullmatch(r"(?:list|dict)[\[(](?:str, )?(.*)[\])]", kind)
    if inner:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [
            name
            for key, each in items
            for name in unknown_fields(inner[1], each, libraries, f"{path}[{key}]")
        ]
    known = next((getattr(each, kind) for each in libraries if hasattr(each, kind)), None)
    if known is None or not isinstance(value, dict):  # a text or a number
        return []
    names = {json_name: name for name, json_name in known.attribute_map.items()}
    found = []
    for key, each in value.items():
        if key in names:
            kind_of = known.openapi_types[names[key]]
            found += unknown_fields(kind_of, each, libraries, f"{path}.{key}")
        else:
            found.append(f"{path}.{key}")
    return found


@pytest.mark.slow
def test_kserve_knows_every_field_of_the_service(folder):
    libraries = [pytest.importorskip("kserve"), pytest.importorskip("kubernetes.client")]
    yaml = pytest.importorskip("yaml")
    service = yaml.safe_load((folder / "kserve" / "inference-service.yaml").read_text())
    assert unknown_fields("V1beta1InferenceService", service, libraries) == []
    service["spec"]["predictor"]["containers"][0]["imag"] = "x"
    expected = [".spec.predictor.containers[0].imag"]
    assert unknown_fields("V1beta1InferenceService", service, libraries) == expected


@pytest.mark.slow
def test_other_folders_are_not_replaced(folder):
    path = folder / "triton" / "COMMANDS.md"
    text = path.read_text()
    path.unlink()
    try:
        with pytest.raises(ZooError, match="exists and has no"):
            zoo.export(HELLO, "triton", folder)
    finally:
        path.write_text(text)
    zoo.export(HELLO, "triton", folder)  # its own files are


def test_unknown_servers_are_refused():
    with pytest.raises(ZooError, match="kserve, triton, tfserving"):
        zoo.export(HELLO, "seldon")


def test_names_are_valid_in_dns():
    assert model_name("runs/My Model.v2") == "my-model-v2"
    assert model_name("/") == "model"
