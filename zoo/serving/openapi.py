"""The description of the HTTP interface: OpenAPI for programs, and a page for people."""

from __future__ import annotations

import html
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

import zoo.serving
from zoo.serving.http import answer, models_of
from zoo.serving.models import Models
from zoo.serving.presets import JSON, ROOT, describe

_FILE = {"type": "string", "format": "binary"}
_JSON = {JSON: {"schema": {"type": "object"}}}


def routes() -> list[BaseRoute]:
    """Return the routes of the description."""
    return [Route("/openapi.json", _openapi), Route("/docs", _page)]


async def _openapi(request: Request) -> Response:
    return answer(document(models_of(request)))


async def _page(request: Request) -> Response:
    return HTMLResponse(page(document(models_of(request))))


def document(models: Models) -> dict[str, Any]:
    """Return the OpenAPI document: the paths of each model, with the options of its decoder."""
    paths: dict[str, Any] = {
        ROOT: _get("The presets that are served, with inputs, options and examples"),
        "/metrics": _get("Metrics for Prometheus"),
        "/v2/health/live": _get("Whether the server runs"),
        "/v2/health/ready": _get("Whether the models are loaded"),
    }
    for model in models:
        found = describe(model)
        paths[found["predict"]] = {"post": _predict(found)}
        if "tokens" in found["streams"]:
            paths[f"{ROOT}/{model.name}/stream"] = {
                "post": _predict(found)
                | {"summary": "The answer token by token, as server-sent events"}
            }
        paths[f"/v1/models/{model.name}"] = _get("State of the versions (V1)")
        paths[f"/v1/models/{model.name}:predict"] = _post("Signatures, rows or columns (V1)")
        paths[f"/v2/models/{model.name}"] = _get("Tensors of the graph (V2)")
        paths[f"/v2/models/{model.name}/infer"] = _post("The graph, JSON or binary (V2)")
    info = {"title": "zoo serve", "version": zoo.__version__}
    return {"openapi": "3.1.0", "info": info, "paths": paths}


def _get(summary: str) -> dict[str, Any]:
    return {"get": {"summary": summary, "responses": {"200": {"description": "OK"}}}}


def _post(summary: str) -> dict[str, Any]:
    return {
        "post": {"summary": summary, "requestBody": {"content": _JSON}, "responses": _RESPONSES}
    }


_RESPONSES = {
    "200": {"description": "The answer", "content": _JSON},
    **{
        status: {"description": words, "content": _JSON}
        for status, words in {
            "400": "The request is invalid",
            "404": "There is no such model or version",
            "413": "The body is too large",
            "503": "The queue is full",
            "504": "The answer took too long",
        }.items()
    },
}


def _predict(found: dict[str, Any]) -> dict[str, Any]:
    """Return the operation that answers inputs of a preset."""
    given = found["input"]
    example = {"input": given["example"]} if given["text"] else {"input": {"b64": "..."}}
    content: dict[str, Any] = {JSON: {"schema": {"type": "object"}, "example": example}}
    if given["file"]:
        content["application/octet-stream"] = {"schema": _FILE}
    parameters = [
        {
            "name": option["name"],
            "in": "query",
            "description": option["help"],
            "schema": {"type": option["type"], "default": option["default"]},
        }
        for option in found["options"]
    ]
    if given["file"]:
        name = {"type": "string", "example": given["example"]}
        parameters.insert(
            0, {"name": "name", "in": "query", "description": "name of the file", "schema": name}
        )
    return {
        "summary": f"The answer of {found['preset']}",
        "parameters": parameters,
        "requestBody": {"required": True, "content": content},
        "responses": _RESPONSES,
    }


def page(found: dict[str, Any]) -> str:
    """Return the OpenAPI document as an HTML page without scripts."""
    sections = []
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            rows = "".join(
                f"<tr><td><code>{html.escape(p['name'])}</code><td>{html.escape(p['schema']['type'])}"
                f"<td>{html.escape(json.dumps(p['schema'].get('default')))}"
                f"<td>{html.escape(p['description'])}"
                for p in operation.get("parameters", ())
            )
            table = f"<table><tr><th>option<th>type<th>default<th>{rows}</table>" if rows else ""
            sections.append(
                f"<h2><code>{method.upper()} {html.escape(path)}</code></h2>"
                f"<p>{html.escape(operation['summary'])}</p>{table}"
            )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>zoo serve: interface</title>'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" '
        'content="light dark"><style>body{font:16px system-ui;max-width:60em;margin:2em auto;'
        "padding:0 1em}h2{font-size:1rem;margin-top:2em}td,th{text-align:left;padding:.1em 1em .1em 0}"
        '</style><h1>zoo serve</h1><p><a href="openapi.json">openapi.json</a></p>'
        + "".join(sections)
        + "</html>"
    )
