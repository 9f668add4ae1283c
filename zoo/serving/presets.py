"""The zoo's own endpoints: the served presets, and `zoo predict` over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from zoo.api.options import option_types
from zoo.common.core.capabilities import GradualAnswers
from zoo.common.core.errors import ZooError
from zoo.common.runtime.preset import check_stream
from zoo.serving import inputs
from zoo.serving.answers import predict
from zoo.serving.http import answer, find_version, limits_of, models_of, read_body
from zoo.serving.models import Model
from zoo.serving.versions import Version

ROOT = "/v1/presets"
JSON = "application/json"
# Kinds of streams.
AUDIO, TOKENS = "audio", "tokens"
_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def routes() -> list[BaseRoute]:
    """Return the routes of the zoo's own endpoints. The name of a model may have slashes."""
    return [
        Route(ROOT, _list),
        *post_routes("predict", _predict),
        Route(ROOT + "/{name:path}", _show),
    ]


def post_routes(verb: str, endpoint: Callable[[Request], Any]) -> list[BaseRoute]:
    """Return the routes of a verb of a preset, which answers POST only."""
    path = ROOT + "/{name:path}/" + verb
    # Without the second route, GET would ask for a preset whose name ends with the verb.
    return [Route(path, endpoint, methods=["POST"]), Route(path, _post_only)]


async def _post_only(_: Request) -> Response:
    raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, headers={"allow": "POST"})


async def _list(request: Request) -> Response:
    return answer({"presets": [describe(model) for model in models_of(request)]})


async def _show(request: Request) -> Response:
    model, _ = find_version(request, request.path_params["name"])
    return answer(describe(model))


async def _predict(request: Request) -> Response:
    query = dict(request.query_params)
    model, version = find_version(request, request.path_params["name"], query.pop("version", None))
    asked = await read_request(request, version, query)
    answers = await model.queue.run(predict, model.name, version, asked)
    found = {"preset": version.recipe.name, "predictions": answers}
    return answer(found, headers={"x-model-version": str(version.number)})


async def read_request(request: Request, version: Version, query: dict[str, str]) -> inputs.Request:
    """Return the inputs and options in the body and the query of a request.

    Raises:
        ZooError: the body is invalid or too large.
    """
    limits, data = limits_of(request), version.recipe.data
    body = await read_body(request, limits)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    # The file of some presets is JSON: it has a name, or the type is not given as JSON.
    if content_type == JSON and "name" not in query:
        asked = inputs.json_request(body, data, limits.inputs)
        return inputs.Request(asked.inputs, query | asked.options)
    return inputs.file_request(body, content_type, query, data)


def describe(model: Model) -> dict[str, Any]:
    """Return what a client can know about a model, JSON-ready."""
    version = model.version()
    recipe, root = version.recipe, f"{ROOT}/{model.name}"
    data, kinds = recipe.data, option_types(recipe)
    is_text = data.accepts_text("text")
    return {
        "name": model.name,
        "preset": recipe.name,
        "task": recipe.task.verb,
        "backend": version.graphs.backend,
        "versions": sorted(model.versions),
        "errors": {str(number or "folder"): text for number, text in model.errors.items()},
        "input": {
            "text": is_text or data.accepts_text(data.input_example),
            "file": not is_text,
            "array": data.accepts_arrays,
            "example": data.input_example,
        },
        "options": [
            {
                "name": name,
                "type": _TYPES.get(kinds[name], "array"),
                "default": getattr(recipe.decoder, name),
                "help": words,
            }
            for name, words in inputs.client_options(recipe).items()
        ],
        "streams": streams_of(version),
        "predict": f"{root}/predict",
    }


def streams_of(version: Version) -> list[str]:
    """Return the kinds of streams that a preset supports."""
    recipe, found = version.recipe, []
    with suppress(ZooError):
        check_stream(recipe.name, recipe)
        found.append(AUDIO)
    if isinstance(recipe.task, GradualAnswers):
        found.append(TOKENS)
    return found
