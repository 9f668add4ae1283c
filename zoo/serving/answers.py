"""Answer a request with a version of a preset."""

from __future__ import annotations

from typing import Any

from zoo.api.options import set_options
from zoo.common.core.errors import ExportError, ZooError
from zoo.serving.errors import RequestError
from zoo.serving.inputs import Request, check_options, sources
from zoo.serving.versions import Version


def predict(name: str, version: Version, request: Request) -> list[dict[str, Any]]:
    """Return the answers of `zoo predict --json` to the inputs of a request.

    Raises:
        ZooError: an option is invalid, or the only input is invalid. Of several inputs, an invalid one
            has the answer `{"input", "error"}`.
    """
    check_options(name, version.recipe, request.options)
    recipe = set_options(name, version.recipe, request.options)
    predictor = recipe.predictor(version.graphs)
    answers = []
    try:
        with sources(request.inputs) as found:
            for source, file in found:
                (answer,) = recipe.task.predict(predictor, [source])
                answers.append(_for_client(answer, version, str(source), file))
    except ExportError as error:
        raise ExportError(version.without_paths(str(error))) from None
    except ZooError as error:
        raise RequestError(400, version.without_paths(str(error))) from None
    if len(answers) == 1 and "error" in answers[0]:
        raise RequestError(400, answers[0]["error"])
    return answers


def _for_client(
    answer: dict[str, Any], version: Version, source: str, file: str | None
) -> dict[str, Any]:
    """Return an answer with the client's name of a file, and without paths of this machine."""
    if file is not None:
        answer["input"] = file
        if "error" in answer:
            answer["error"] = answer["error"].replace(source, file)
    if "error" in answer:
        answer["error"] = " ".join(version.without_paths(answer["error"]).split())
    return answer
