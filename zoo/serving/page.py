"""The page in the browser: static files, descriptions of presets, graphs, and pictures of answers.

Small recognizers run in the browser, by ONNX Runtime in WebAssembly; the server answers for the others.
"""

from __future__ import annotations

import gzip
import json
import shutil
import tempfile
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from zoo.api.options import set_options
from zoo.common.core.capabilities import InputPlots
from zoo.common.core.errors import ZooError
from zoo.common.export.signature import SIGNATURE_FILE
from zoo.common.presets import store
from zoo.common.runtime import export_folder
from zoo.common.runtime.keras_model import MODEL
from zoo.common.utils.files import atomic_folder
from zoo.common.utils.packages import check_packages
from zoo.serving.errors import RequestError, not_found
from zoo.serving.http import find_version, models_of
from zoo.serving.inputs import Request as Input
from zoo.serving.inputs import check_options, sources
from zoo.serving.models import Model, Models
from zoo.serving.presets import ROOT, describe, post_routes, read_request
from zoo.serving.versions import Version

FOLDER = Path(__file__).with_name("page")
LIST = "page.json"
ONNX = "onnx"
GRAPH_FILE = f"{MODEL}.onnx"
# Tasks whose outputs the page can decode, and the size up to which their graphs are sent to a browser.
TASKS, MAX_BYTES = ("transcribe",), 40_000_000
WASM = ".wasm"
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' blob: data:; "
        "media-src blob:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


class PageFiles(StaticFiles):
    """The files of the page. WebAssembly is stored and sent compressed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        stored = FOLDER / f"{path}.gz"
        if path.endswith(WASM) and stored in (FOLDER / "vendor").iterdir():
            response = self.file_response(stored, stored.stat(), scope)
            response.headers.update(
                {"content-encoding": "gzip", "content-type": "application/wasm"}
            )
        else:
            response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        return response


def routes() -> list[BaseRoute]:
    """Return the routes of what the page asks, which come before those of the presets."""
    name = ROOT + "/{name:path}"
    return [
        Route(f"/{LIST}", _list),
        *post_routes("plot", _plot),
        Route(name + "/graph/{file:str}", _graph),
    ]


def file_routes() -> list[BaseRoute]:
    """Return the route of the files. It is the last: it takes all paths that no other route has."""
    return [Mount("/", PageFiles(directory=FOLDER, html=True), name="page")]


def graph_files(version: Version) -> dict[str, Path]:
    """Return the files that a browser needs to run a version, by name; none if it cannot."""
    if version.graphs.backend != ONNX or version.recipe.task.verb not in TASKS:
        return {}
    folder = export_folder(ONNX, store.exports_of(version.place.folder))
    files = {name: folder / name for name in (GRAPH_FILE, SIGNATURE_FILE)}
    small = all(path.is_file() and path.stat().st_size <= MAX_BYTES for path in files.values())
    return files if small else {}


def page_list(models: Models, graphs: str) -> dict[str, Any]:
    """Return what the page knows about the models, JSON-ready.

    Args:
        models: the models.
        graphs: the address of the folder of a model's graph, with `{name}`.
    """
    return {"presets": [_entry(model, graphs.format(name=model.name)) for model in models]}


def _entry(model: Model, graphs: str) -> dict[str, Any]:
    version = model.version()
    files = graph_files(version)
    return describe(model) | {
        "url": f"{ROOT}/{model.name}".lstrip("/"),
        "plots": isinstance(version.recipe.data, InputPlots),
        "graph": {
            "model": f"{graphs}/{GRAPH_FILE}",
            "signature": f"{graphs}/{SIGNATURE_FILE}",
        }
        if files
        else None,
    }


async def _list(request: Request) -> Response:
    listed = page_list(models_of(request), f"{ROOT.lstrip('/')}/{{name}}/graph")
    return Response(json.dumps(listed), headers=HEADERS, media_type="application/json")


async def _graph(request: Request) -> Response:
    model, version = find_version(request, request.path_params["name"])
    files, name = graph_files(version), request.path_params["file"]
    if name not in files:
        valid = ", ".join(files) or "none"
        raise not_found(f"{model.name} has no file {name[:80]!r}. Available: {valid}.")
    return FileResponse(files[name], headers=HEADERS)


async def _plot(request: Request) -> Response:
    query = dict(request.query_params)
    model, version = find_version(request, request.path_params["name"], query.pop("version", None))
    asked = await read_request(request, version, query)
    png = await model.queue.run(plot, model.name, version, asked)
    return Response(png, headers=HEADERS, media_type="image/png")


def plot(name: str, version: Version, request: Input) -> bytes:
    """Return the picture of an input and its answer, as `zoo predict --plot` draws it, as PNG.

    Raises:
        ZooError: the preset draws no pictures, the request has several inputs, or it is invalid.
    """
    recipe, data = version.recipe, version.recipe.data
    if not isinstance(data, InputPlots):
        raise RequestError(HTTPStatus.BAD_REQUEST, f"{name} does not support plots of inputs.")
    if len(request.inputs) != 1:
        raise ZooError(f"A plot takes one input. Received: {len(request.inputs)}.")
    check_packages(("matplotlib",), "plot")
    check_options(name, recipe, request.options)
    recipe = set_options(name, recipe, request.options)
    predictor = recipe.predictor(version.graphs)
    with sources(request.inputs) as found, tempfile.TemporaryDirectory() as folder:
        ((source, file),) = found
        path = Path(folder, "plot.png")
        try:
            data.plot_input(predictor, recipe.task, source, path)
        except ZooError as error:
            message = version.without_paths(str(error)).replace(str(source), file or "the input")
            raise RequestError(HTTPStatus.BAD_REQUEST, message) from None
        return path.read_bytes()


def export_page(models: Models, folder: Path) -> list[str]:
    """Write the page as a folder for any web host, with the presets that run in a browser.

    Args:
        models: the models.
        folder: the folder to write; it must not exist.

    Returns:
        The names of the models that are left out, because they need the server.

    Raises:
        ZooError: no model runs in a browser, or the folder exists or cannot be written.
    """
    listed = page_list(models, "graphs/{name}")["presets"]
    kept = [entry for entry in listed if entry["graph"]]
    if not kept:
        raise ZooError(
            "None of the presets runs in a browser: the page needs an ONNX export of a recognizer of "
            f"at most {MAX_BYTES // 1_000_000} MB. Run: zoo export PRESET --to onnx."
        )
    with atomic_folder(folder) as parts:
        shutil.copytree(FOLDER, parts, dirs_exist_ok=True)
        for path in parts.rglob(f"*{WASM}.gz"):
            path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
            path.unlink()
        for entry in kept:
            target = parts / "graphs" / entry["name"]
            target.mkdir(parents=True)
            for name, path in graph_files(models[entry["name"]].version()).items():
                shutil.copyfile(path, target / name)
        (parts / LIST).write_text(json.dumps({"presets": kept}), "utf-8")
    return [entry["name"] for entry in listed if not entry["graph"]]
