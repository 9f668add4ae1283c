"""Test that imports are declared in pyproject.toml, and that missing packages are reported early."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

import zoo
from tests.conftest import AN4, RECIPE
from zoo.common.core.registry import entries

PACKAGE = Path(zoo.__file__).parent
PROJECT = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text("utf-8"))["project"]
# Modules of distributions with a different name.
MODULES = {
    "ai-edge-litert": "ai_edge_litert",
    "flashlight-text": "flashlight",
    "grpcio": "grpc",
    "pillow": "PIL",
    "prometheus-client": "prometheus_client",
    "protobuf": "google",
    "scikit-learn": "sklearn",
    "tensorflow-serving-api": "tensorflow_serving",
    "tensorflow-io": "tensorflow_io",
    "tensorrt-rtx-cu13": "tensorrt_rtx",
}
# Keras depends on h5py. PyTorch and JAX are optional backends of Keras. `to_pandas` needs pandas.
# IPython displays results in notebooks.
WITHOUT_EXTRA = {"h5py", "torch", "jax", "pandas", "IPython"}


def modules_of(requirements: list[str]) -> set[str]:
    names = [re.match(r"[\w-]+", requirement)[0] for requirement in requirements]
    return {MODULES.get(name, name) for name in names} - {"recurrent-zoo"}


BASE = modules_of(PROJECT["dependencies"]) | {"zoo"} | set(sys.stdlib_module_names)
EXTRAS = {
    extra: modules_of(requirements)
    for extra, requirements in PROJECT["optional-dependencies"].items()
}


def imports(tree: ast.AST) -> set[str]:
    """Return the top-level modules that source code imports, except imports for type checkers."""
    found = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module.partition(".")[0])
        found |= imports(node)
    return found


def test_imported_packages_are_declared():
    declared = BASE.union(*(EXTRAS[name] for name in EXTRAS if name not in ("test", "benchmark")))
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        assert imports(tree) <= declared | WITHOUT_EXTRA, path
        whole = ast.Module([n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)], [])
        # Modules of exports, sweeps and servers are imported when one starts, of baselines when one is
        # fitted.
        late = {"onnx"} if path.parent == PACKAGE / "common/export/onnx" else set()
        late |= {"ai_edge_litert"} if path.parent == PACKAGE / "common/export/litert" else set()
        late |= {"optuna", "sqlalchemy"} if path.parent == PACKAGE / "scaling" else set()
        late |= EXTRAS["serve"] if path.parent == PACKAGE / "serving" else set()
        if path.name == "baselines.py":
            late = EXTRAS["baselines"]
        assert imports(whole) <= BASE | late, f"{path}: import it in the function that needs it"


def test_packages_of_recipes_are_in_the_extras():
    for entry in entries():
        recipe = entry.recipe()
        assert set(recipe.task.packages) <= EXTRAS["evaluate"], entry.name
        assert set(recipe.training.packages) <= EXTRAS["train"] | EXTRAS["plot"], entry.name
    for part, whole in (("plot", "evaluate"), ("evaluate", "train"), ("train", "test")):
        (row,) = [r for r in PROJECT["optional-dependencies"][whole] if "recurrent-zoo[" in r]
        assert part in row.partition("[")[2].rstrip("]").split(",")


@pytest.mark.parametrize(
    ("command", "package", "extra"),
    [
        ("train", "tensorboard", "train"),
        ("train", "jiwer", "train"),
        ("evaluate", "jiwer", "evaluate"),
        ("tune-lm --lm absent.arpa", "jiwer", "evaluate"),
    ],
)
def test_missing_package_is_reported_before_the_corpus_is_read(
    refused, monkeypatch, command, package, extra
):
    monkeypatch.setitem(sys.modules, package, None)
    line = refused(*command.split(), RECIPE, "--data", AN4 / "absent")
    assert line == f"zoo: {package} is not installed: pip install 'recurrent-zoo[{extra}]'\n"


def test_plot_without_matplotlib(refused, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    file = tmp_path / "series.png"
    series = PACKAGE / "timeseries/samples/laser.txt"
    line = refused("plot", "timeseries/ar-laser", series, "--out", file)
    assert line == "zoo: matplotlib is not installed: pip install 'recurrent-zoo[plot]'\n"
    assert not file.exists()


def test_presets_package_has_the_version_of_the_zoo():
    (needed,) = PROJECT["optional-dependencies"]["vision_language"]
    assert needed == f"recurrent-zoo-vision-language=={zoo.__version__}"
