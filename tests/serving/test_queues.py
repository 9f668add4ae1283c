"""Test the queue of a model: one request at a time, and limits."""

import asyncio
import threading

import pytest

from zoo.serving.errors import RequestError
from zoo.serving.queues import Queue


def test_requests_run_one_at_a_time_and_in_order():
    running, order = [], []

    def work(number):
        running.append(number)
        order.append((number, len(running)))
        running.remove(number)
        return number

    async def ask():
        queue = Queue("m", 1, 10, 10)
        return await asyncio.gather(*(queue.run(work, i) for i in range(8)))

    assert asyncio.run(ask()) == list(range(8))
    assert order == [(i, 1) for i in range(8)]


def test_a_full_queue_refuses_and_recovers():
    gate = threading.Event()

    async def ask():
        queue = Queue("m", 1, 2, 10)
        waiting = [asyncio.create_task(queue.run(gate.wait, 10)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(RequestError, match="2 requests wait") as refused:
            await queue.run(gate.wait)
        assert refused.value.status == 503
        gate.set()
        await asyncio.gather(*waiting)
        await asyncio.sleep(0)
        assert queue.length == 0
        assert await queue.run(lambda: 7) == 7

    asyncio.run(ask())


def test_a_slow_answer_is_refused_and_the_queue_goes_on():
    gate = threading.Event()

    async def ask():
        queue = Queue("m", 1, 2, 0.05)
        with pytest.raises(RequestError, match="did not answer within") as refused:
            await queue.run(gate.wait, 10)
        assert refused.value.status == 504
        gate.set()
        while queue.length:
            await asyncio.sleep(0.001)
        assert await queue.run(lambda: 7) == 7

    asyncio.run(ask())


def test_an_error_of_a_request_is_its_own():
    async def ask():
        queue = Queue("m", 1, 2, 10)
        with pytest.raises(ZeroDivisionError):
            await queue.run(lambda: 1 / 0)
        assert await queue.run(lambda: 7) == 7

    asyncio.run(ask())
