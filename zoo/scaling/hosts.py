"""Training over several hosts: one process of JAX per host, in a child of the caller's process.

The library of JAX ends its process when another host dies, without an exception. The caller's process
reports this in one line.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zoo.api.results import TrainResult
from zoo.common.core import registry
from zoo.common.core.errors import ZooError, check_range
from zoo.common.training.trainers import GradientDescent
from zoo.common.utils.packages import check_packages
from zoo.common.utils.progress import say

EXTRA = "hosts"
# Time to find the coordinator, and time without a sign after which a host counts as dead.
START_SECONDS, HEARTBEAT_SECONDS = 120, 30
LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Lines of the log of JAX, which a user does not need.
_LOG = re.compile(
    r"^([EFWI]\d{4} \d\d:|\*\*\* |    @ |\[Gloo\]|RPC: |The tasks have crashed|\d+$|\s*$"
    r"|WARNING: All log messages before absl)"
)
_CODE = "from zoo.scaling.hosts import run_child; run_child()"


@dataclass(frozen=True)
class Place:
    """The place of a process in a training.

    Args:
        hosts: number of processes.
        rank: number of this process, from 0; None if JAX finds it.
        coordinator: HOST:PORT of rank 0; None if JAX finds it.
    """

    hosts: int
    rank: int | None = None
    coordinator: str | None = None

    def __post_init__(self):
        check_range("hosts", self.hosts, at_least=1, at_most=100_000)
        if (self.rank is None) != (self.coordinator is None):
            raise ZooError("--rank and --coordinator must be given together.")
        if self.rank is not None:
            check_range("rank", self.rank, at_least=0, below=self.hosts)
        if self.coordinator is not None:
            host, _, port = self.coordinator.rpartition(":")
            if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
                raise ZooError(
                    f"coordinator must be HOST:PORT, of rank 0. Received: {self.coordinator!r}."
                )


def train_on_hosts(
    recipe: str,
    place: Place,
    *,
    out: str | Path | None = None,
    overrides: dict[str, Any] | None = None,
    resume: bool = False,
    **source: Any,
) -> TrainResult:
    """Train a recipe together with the processes of the other ranks, on JAX whatever KERAS_BACKEND is.

    Args:
        recipe: name of the recipe.
        place: the place of this process.
        out: run folder of rank 0.
        overrides: settings by dotted key.
        resume: whether to continue the run in the folder of rank 0.
        source: `data`, `manifest`, `weights` and `dev_manifest` of `zoo.train`, and `init` and
            `init_encoder` by name.

    Raises:
        ZooError: as `zoo.train`; the hosts differ; or another host died or cannot be reached.
    """
    check_packages(("jax",), EXTRA)
    built = registry.entry(recipe).recipe().override(overrides or {})
    if not isinstance(built.training, GradientDescent):
        raise ZooError(f"{recipe} is trained in one pass: --hosts is not supported.")
    arguments = {
        "recipe": recipe,
        "out": None if out is None else str(out),
        "overrides": overrides or {},
        "resume": resume,
        **source,
    }
    request = json.dumps({"place": asdict(place), "arguments": arguments}, default=str)
    with subprocess.Popen(
        [sys.executable, "-c", _CODE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=os.environ | {"KERAS_BACKEND": "jax"},
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        try:
            child.stdin.write(request + "\n")
            child.stdin.flush()  # it stays open: its end means that this process died
            log: deque[str] = deque(maxlen=200)
            reader = threading.Thread(target=_forward, args=(child.stderr, log))
            reader.start()
            # Gloo prints to stdout too.
            lines = [line for line in child.stdout if line.startswith("{")]
            reader.join()
        finally:
            child.kill()
    answer: dict[str, Any] = (
        json.loads(lines[-1]) if lines else {"error": _cause(place, "\n".join(log))}
    )
    if "error" in answer:
        raise ZooError(answer["error"])
    return TrainResult(Path(answer["run"]), recipe, answer["history"], answer["best"])


def run_child() -> None:
    """Train in this process, as the parent process requests on stdin, and print the result as JSON."""
    answer: dict[str, Any]
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_follow_parent, daemon=True).start()
    place, arguments = Place(**request["place"]), request["arguments"]
    try:
        _initialize(place)
        from zoo.api.train import train_recipe
        from zoo.scaling.jax_parallel import JaxParallel

        result = train_recipe(**arguments, parallel=JaxParallel())
        answer = {"run": str(result.run), "history": result.history, "best": result.best}
    except (ZooError, OSError) as error:  # such as a full disk
        answer = {"error": str(error)}
    except Exception as error:
        # A collective operation fails when another process ends.
        if place.hosts == 1 or not _is_of_other_host(error):
            raise
        answer = {"error": f"{_lost(place)} JAX: {' '.join(str(error).split())[:200]}"}
    print(json.dumps(answer), flush=True)
    if "run" in answer and place.hosts > 1:
        import jax

        jax.distributed.shutdown()  # when all hosts are done: rank 0 may still write
    os._exit(0)  # without waiting for hosts that died


def _initialize(place: Place) -> None:
    """Start the backend, and connect to the other processes."""
    from zoo.common.utils.quiet import start_backend

    if place.hosts > 1:
        import jax

        from zoo.common.utils.private import gloo_on_loopback

        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.config.update("jax_enable_preemption_service", False)  # it would ignore SIGTERM
        where: dict[str, Any] = {}
        if place.coordinator is not None:
            host = place.coordinator.rpartition(":")[0]
            where = {
                "coordinator_address": place.coordinator,
                "coordinator_bind_address": place.coordinator,
                "num_processes": place.hosts,
                "process_id": place.rank,
            }
            if host in LOOPBACK:
                gloo_on_loopback()
        try:
            jax.distributed.initialize(
                **where,
                initialization_timeout=START_SECONDS,
                heartbeat_timeout_seconds=HEARTBEAT_SECONDS,
            )
        except (ValueError, RuntimeError) as error:
            if place.coordinator is None:
                raise ZooError(
                    "JAX found no Slurm, Kubernetes or MPI job: give --rank and --coordinator. "
                    f"({' '.join(str(error).split())[:120]})"
                ) from None
            raise ZooError(_unreachable(place)) from None
        if jax.process_count() != place.hosts:
            raise ZooError(f"hosts must be {jax.process_count()}. Received: {place.hosts}.")
    start_backend()


def _follow_parent() -> None:
    sys.stdin.read()
    os._exit(1)


def _forward(stream: Iterable[str], log: deque[str]) -> None:
    """Print the lines of a process that are not of the log of JAX, and keep the last of all lines."""
    for line in stream:
        log.append(line.rstrip("\n"))
        if not _LOG.match(line):
            say(line.rstrip("\n"))


def _cause(place: Place, log: str) -> str:
    """Return why JAX ended the process."""
    if "incarnation" in log or "ALREADY_EXISTS" in log:
        return f"A rank was started twice, or again before the others had ended: {_name(place)}."
    if "RegisterTask" in log:
        return _unreachable(place)
    if "Traceback" in log:
        return f"The training of {_name(place)} ended with an error."
    return _lost(place)


def _unreachable(place: Place) -> str:
    return (
        f"{_name(place)} did not find all {place.hosts} hosts at {place.coordinator} in "
        f"{START_SECONDS} s: check the address, and that each rank is started once."
    )


def _lost(place: Place) -> str:
    return (
        f"Another host ended or cannot be reached, so {_name(place)} ends too. Start all hosts again "
        "with --resume."
    )


def _name(place: Place) -> str:
    return "this host" if place.rank is None else f"rank {place.rank} of {place.hosts}"


def _is_of_other_host(error: Exception) -> bool:
    text = str(error)
    return (
        "Gloo" in text or "UNAVAILABLE" in text or "distributed service" in text or "NCCL" in text
    )
