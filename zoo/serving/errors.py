"""Errors of requests, with their HTTP status."""

from __future__ import annotations

from http import HTTPStatus

from zoo.common.core.errors import ExportError, ZooError


class RequestError(ZooError):
    """An error of a request.

    Args:
        status: the HTTP status.
        message: the error in one line.
    """

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


def not_found(message: str) -> RequestError:
    """Return the error about an unknown model, version or graph."""
    return RequestError(HTTPStatus.NOT_FOUND, message)


def status_of(error: ZooError) -> int:
    """Return the HTTP status of an error: 400 unless it says otherwise, 500 for a damaged export."""
    if isinstance(error, RequestError):
        return error.status
    return HTTPStatus.INTERNAL_SERVER_ERROR if isinstance(error, ExportError) else 400
