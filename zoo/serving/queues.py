"""Run the requests of a model one at a time, in a thread, with a limit on the number that wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, TypeVar

from zoo.serving.errors import RequestError

Result = TypeVar("Result")


class Queue:
    """The queue of a model.

    Args:
        name: name of the model, for error messages.
        threads: number of requests that run at a time.
        limit: maximum number of requests that wait.
        seconds: maximum time of a request, including the time it waits.
    """

    def __init__(self, name: str, threads: int, limit: int, seconds: float):
        self._name, self._threads, self._limit, self._seconds = name, threads, limit, seconds
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"model-{name}")
        self.length = 0

    async def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Return the result of a function that runs in a thread of the queue.

        Raises:
            RequestError: the queue is full, or the request took too long. A computation that has begun
                still ends.
        """
        if self.length >= self._limit + self._threads:
            raise RequestError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"{self._name} is busy: {self._limit} requests wait. Try again later.",
            )
        self.length += 1
        job = self._pool.submit(function, *arguments)
        loop = asyncio.get_running_loop()
        job.add_done_callback(lambda _: loop.call_soon_threadsafe(self._done))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(job), self._seconds)
        except TimeoutError:
            raise RequestError(
                HTTPStatus.GATEWAY_TIMEOUT,
                f"{self._name} did not answer within {self._seconds:g} s.",
            ) from None

    def _done(self) -> None:
        self.length -= 1

    def close(self) -> None:
        """Stop the threads after the computations that have begun."""
        self._pool.shutdown(wait=False, cancel_futures=True)
