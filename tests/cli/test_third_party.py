"""A model of another package: its recipe works like those of the zoo."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.test_main import COMMAND, REPOSITORY
from tests.conftest import settings
from zoo.language.modelling.data import SAMPLE

PAGE = REPOSITORY / "docs" / "adding-a-model.md"
NAME = "acme/elman"
DIST_INFO = {
    "METADATA": "Metadata-Version: 2.1\nName: acme-models\nVersion: 1.0\n",
    "entry_points.txt": "[zoo.models]\nelman = acme_models.elman\n",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder of installed packages with one: the model of the page on adding models."""
    folder = tmp_path_factory.mktemp("site")
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    package, info = folder / "acme_models", folder / "acme_models-1.0.dist-info"
    package.mkdir()
    info.mkdir()
    (package / "__init__.py").touch()
    (package / "elman.py").write_text(code.replace("language/elman-shakespeare", NAME))
    for name, text in DIST_INFO.items():
        (info / name).write_text(text)
    return folder


@pytest.fixture
def zoo_with_package(site, tmp_path):
    def run(*arguments: str) -> subprocess.CompletedProcess:
        paths = {"PYTHONPATH": os.pathsep.join([str(site), str(REPOSITORY)])}
        return subprocess.run(
            [*COMMAND, *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=os.environ | paths,
        )

    return run


@pytest.mark.slow
def test_a_package_adds_a_model(zoo_with_package, run_zoo, tmp_path):
    listed = zoo_with_package("list", "acme/*", "--json")
    assert [row["name"] for row in json.loads(listed.stdout)["models"]] == [NAME]
    about = json.loads(zoo_with_package("show", NAME, "--json").stdout)
    assert about["paper"] == "Elman 1990"
    assert about["settings"]["model.hidden_size"] == 256
    tiny = settings(
        "model.embedding_size=4",
        "model.hidden_size=8",
        "training.batch_size=4",
        "training.epochs=1",
    )
    trained = zoo_with_package("train", NAME, "--manifest", str(SAMPLE), *tiny, "--json")
    assert trained.returncode == 0, trained.stderr
    assert json.loads(trained.stdout)["run"] == "runs/acme-elman"
    assert (tmp_path / "runs" / "acme-elman" / "model.keras").exists()
    # Without the package there is no such recipe.
    assert run_zoo("show", NAME).status == 1


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("import sys; sys.exit('no licence')", "SystemExit: no licence"),
    ],
)
def test_a_package_that_cannot_be_imported(zoo_with_package, site, source, error):
    module = site / "acme_models" / "elman.py"
    code = module.read_text()
    module.write_text(source)
    try:
        listed = zoo_with_package("list")
    finally:
        module.write_text(code)
    assert listed.returncode == 0
    assert "speech/bilstm-ctc-an4" in listed.stdout
    assert NAME not in listed.stdout
    assert listed.stderr == (f"Not usable: the package 'acme-models', which adds models: {error}\n")
