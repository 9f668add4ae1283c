"""Test what the page receives from the server, and the page as a folder."""

import gzip
import json

import pytest

import zoo
from tests.serving.conftest import LASER
from zoo.common.core.errors import ZooError
from zoo.common.presets import store
from zoo.serving.models import Models
from zoo.serving.page import FOLDER, export_page
from zoo.serving.settings import Settings

READER = "vision_language/blstm-ctc-gw-online"
WORD = {"strokes": [[[0, 0], [2, 30]], [[20, 20], [30, 30], [20, 30]]]}


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """Return the ONNX export of the reader of words."""
    folder = tmp_path_factory.mktemp("exports") / "reader"
    zoo.export(READER, "onnx", folder)
    return folder


@pytest.fixture(scope="module")
def models(reader):
    """Return a reader that runs in a browser, and a forecaster that does not."""
    return Models(Settings((f"reader={reader}", f"laser={LASER}")))


def test_the_page_and_its_files(client):
    page = client.get("/")
    assert page.status_code == 200
    assert "<h1>zoo</h1>" in page.text
    assert "'wasm-unsafe-eval'" in page.headers["content-security-policy"]
    for path in FOLDER.glob("*.js"):
        assert client.get(f"/{path.name}").text == path.read_text("utf-8")
    assert client.get("/nothing.js").status_code == 404
    assert client.get("/../settings.py").status_code == 404


def test_webassembly_is_sent_compressed(client):
    name = "ort-wasm-simd-threaded.wasm"
    response = client.get(f"/vendor/{name}")
    assert response.headers["content-type"] == "application/wasm"
    assert response.content == gzip.decompress((FOLDER / "vendor" / f"{name}.gz").read_bytes())
    assert response.content[:4] == b"\0asm"
    known = {"if-none-match": response.headers["etag"]}
    assert client.get(f"/vendor/{name}", headers=known).status_code == 304


def test_a_graph_is_sent_to_the_browser(serve, reader):
    client = serve(presets=(f"reader={reader}", f"laser={LASER}"))
    of_reader, of_laser = client.get("/page.json").json()["presets"]
    assert of_laser["graph"] is None
    assert of_reader["plots"]
    for kind, file in (("model", "model.onnx"), ("signature", "signature.json")):
        response = client.get(f"/{of_reader['graph'][kind]}")
        assert response.content == (reader / "onnx" / file).read_bytes()
    for name, file in (("reader", "recipe.json"), ("laser", "model.onnx"), ("none", "model.onnx")):
        assert client.get(f"/v1/presets/{name}/graph/{file}").status_code == 404


def test_a_picture_of_an_answer(serve, reader):
    client = serve(presets=(f"reader={reader}", f"laser={LASER}"))
    plot = "/v1/presets/reader/plot"
    response = client.post(plot, json={"input": WORD})
    assert response.status_code == 200
    assert response.content.startswith(b"\x89PNG")
    for body in ({"input": {"strokes": []}}, {"inputs": [WORD, WORD]}):
        answer = client.post(plot, json=body)
        assert answer.status_code == 400
        assert "/tmp" not in answer.json()["error"]


def test_the_page_as_a_folder(models, reader, tmp_path):
    folder = tmp_path / "page"
    assert export_page(models, folder) == ["laser"]
    (entry,) = json.loads((folder / "page.json").read_text())["presets"]
    assert (folder / entry["graph"]["model"]).read_bytes() == (
        reader / "onnx" / "model.onnx"
    ).read_bytes()
    assert (folder / "vendor" / "ort-wasm-simd-threaded.wasm").read_bytes()[:4] == b"\0asm"
    assert not list(folder.rglob("*.gz"))
    with pytest.raises(ZooError, match="already exists"):
        export_page(models, folder)


def test_no_preset_runs_in_a_browser(tmp_path):
    with pytest.raises(ZooError, match="None of the presets runs in a browser"):
        export_page(Models(Settings((LASER,))), tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_the_command_writes_the_folder(run_zoo, reader, tmp_path):
    folder = tmp_path / "page"
    presets = (f"reader={reader}", f"laser={LASER}")
    answer = run_zoo("serve", *presets, "--export-page", str(folder))
    assert answer.out == f"{folder}\n"
    assert answer.err.endswith("Left out, because they need the server: laser.\n")
    assert store.RECIPE_FILE not in {path.name for path in folder.rglob("*")}
