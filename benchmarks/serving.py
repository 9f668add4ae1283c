"""Measure `zoo serve`: overhead, clients, batches, start and memory, each against the model alone.

    python benchmarks/serving.py [PART ...] [--seconds 60] [--clients 64]

Each part replaces its result in the file of results; default: all parts. The presets
run on ONNX Runtime: run `zoo predict PRESET INPUT --cache` before, or the first start of the server
exports them. Requests and direct calls of the same function alternate in one run, so that other load on
the machine affects both. The processor time is that of the server's process. The part `page` needs
Playwright and Chromium.
"""

import argparse
import http.client
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import _timing
import numpy as np

SPEECH, TEXT = "speech/bilstm-ctc-an4", "language/charlstm-hello"
FIVE = (
    SPEECH,
    "language/lstm-small-ptb",
    "language/bilstm-sst2",
    "timeseries/lstm-laser",
    "vision_language/blstm-ctc-gw-online",
)
CLIPS = Path(__file__).parents[1] / "zoo" / "speech" / "samples"
CLIP = CLIPS / "cen8-fcaw-b.flac"
MEGABYTE = 2**20
REPEATS = 51
ROUNDS = STARTS = 5
JSON = {"content-type": "application/json"}
NAME = "serving"
PARTS = ("overhead", "first_answer", "memory", "page", "clients")
CHROMIUM = shutil.which("chromium")
# Flags of the servers whose clients are compared.
FLAGS = ("--threads 0", "--threads 1", "--threads 1 --batch-size 4")


@contextmanager
def server(*arguments: str):
    """Yield the process and the port of a server."""
    command = [sys.executable, "-m", "zoo", "serve", *arguments, "--port", "0", "--cache"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    port = None
    while port is None:
        line = process.stderr.readline()
        if not line:
            sys.exit("The server has ended.")
        found = re.search(r"zoo serve: http://127.0.0.1:(\d+)", line)
        port = int(found[1]) if found else None
    threading.Thread(target=process.stderr.read, daemon=True).start()  # its log
    try:
        yield process, port
    finally:
        process.terminate()
        process.wait()


def ask(connection, path: str, body: bytes, headers: dict | None = None) -> bytes:
    """Return the answer to a request. Exit if it is not 200."""
    connection.request("POST", path, body, headers or {})
    response = connection.getresponse()
    content = response.read()
    if response.status != 200:
        sys.exit(f"{path}: {response.status} {content[:200]!r}")
    return content


def connect(port: int):
    """Return a connection, waiting for the server."""
    for _ in range(2_000):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            connection.connect()
            return connection
        except OSError:
            time.sleep(0.005)
    sys.exit("The server does not answer.")


def processor_ms(process) -> float:
    """Return the processor time of a process so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return 1000.0 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(process) -> float:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def overhead() -> dict:
    """Return the medians of requests and of direct calls of the same functions in this process."""
    from zoo.serving import v2_tensors
    from zoo.serving.answers import predict
    from zoo.serving.graphs import find_graph
    from zoo.serving.inputs import File, Request
    from zoo.serving.models import Models
    from zoo.serving.settings import Settings

    models = Models(Settings((SPEECH, TEXT)))
    speech, text = (model.version() for model in models)
    clip, graph = CLIP.read_bytes(), find_graph(text)
    states = {name: [1, *spec.shape[1:]] for name, spec in graph.inputs.items() if name != "tokens"}
    arrays = {name: np.zeros(shape, np.float32) for name, shape in states.items()}
    arrays["tokens"] = np.zeros((1, 1), np.int32)
    described = [
        {
            "name": name,
            "datatype": v2_tensors.datatype_of(array),
            "shape": list(array.shape),
            "parameters": {"binary_data_size": array.nbytes},
        }
        for name, array in arrays.items()
    ]
    head = json.dumps({"inputs": described, "parameters": {"binary_data_output": True}}).encode()
    tensors = head + b"".join(array.tobytes() for array in arrays.values())
    options = {"length": 5, "sampler": "greedy"}
    prompt = json.dumps({"input": "he", "options": options}).encode()
    with server(SPEECH, TEXT) as (process, port):
        connection = connect(port)
        pairs = {
            "recording, as a file": (
                lambda: predict("m", speech, Request([File("a.flac", clip)], {})),
                lambda: ask(connection, "/v1/presets/bilstm-ctc-an4/predict?name=a.flac", clip),
            ),
            "5 letters, JSON": (
                lambda: predict("m", text, Request(["he"], options)),
                lambda: ask(connection, "/v1/presets/charlstm-hello/predict", prompt, JSON),
            ),
            "one step, V2 binary": (
                lambda: graph.run(arrays),
                lambda: ask(
                    connection,
                    "/v2/models/charlstm-hello/infer",
                    tensors,
                    {"inference-header-content-length": str(len(head))},
                ),
            ),
        }
        found = {}
        for name, (direct, request) in pairs.items():
            for _ in range(10):
                request()
            times = _timing.alternate({"direct": direct, "request": request}, REPEATS)
            before = processor_ms(process)
            for _ in range(REPEATS):
                request()
            in_server = (processor_ms(process) - before) / REPEATS
            started = time.process_time()
            for _ in range(REPEATS):
                direct()
            alone = 1000.0 * (time.process_time() - started) / REPEATS
            direct_ms, request_ms = (statistics.median(times[way]) for way in ("direct", "request"))
            found[name] = {
                "direct_ms": round(direct_ms, 3),
                "request_ms": round(request_ms, 3),
                "overhead_ms": round(request_ms - direct_ms, 3),
                "direct_processor_ms": round(alone, 3),
                "server_processor_ms": round(in_server, 3),
            }
    models.close()
    return found


def load(port: int, clients: int, seconds: float) -> dict:
    """Return the rate and the errors of clients that ask one request after another."""
    clips = [path.read_bytes() for path in sorted(CLIPS.glob("*.flac"))]
    counts, errors, end = [0] * clients, [0] * clients, time.perf_counter() + seconds

    def client(number: int) -> None:
        connection = connect(port)
        while time.perf_counter() < end:
            body = clips[(number + counts[number]) % len(clips)]
            connection.request("POST", "/v1/presets/bilstm-ctc-an4/predict?name=a.flac", body)
            response = connection.getresponse()
            response.read()
            counts[number] += 1
            errors[number] += response.status != 200

    started = time.perf_counter()
    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - started
    return {
        "requests": sum(counts),
        "errors": sum(errors),
        "per_second": round(sum(counts) / taken, 2),
    }


def compare_clients(flags: str, clients: int, seconds: float) -> list[dict]:
    """Return the rates of one client and of many, in alternating parts of `seconds` together."""
    rows = {count: [] for count in (1, clients)}
    with server(SPEECH, "--max-queue", "256", *flags.split()) as (process, port):
        for _ in range(ROUNDS):
            for count, found in rows.items():
                before = processor_ms(process)
                row = load(port, count, seconds / ROUNDS)
                used = processor_ms(process) - before
                found.append(row | {"processor_ms": round(used / max(1, row["requests"]), 1)})
    return [
        {
            "flags": flags,
            "clients": count,
            "requests": sum(row["requests"] for row in found),
            "errors": sum(row["errors"] for row in found),
            "per_second": statistics.median(row["per_second"] for row in found),
            "processor_ms": statistics.median(row["processor_ms"] for row in found),
        }
        for count, found in rows.items()
    ]


def first_answer() -> dict:
    """Return the time from the start of the process to its first answer, and its processor time."""
    body = json.dumps({"input": "he", "options": {"length": 5}}).encode()
    seconds, processor = [], []
    for _ in range(STARTS):
        started = time.perf_counter()
        with server(TEXT) as (process, port):
            ask(connect(port), "/v1/presets/charlstm-hello/predict", body, JSON)
            seconds.append(time.perf_counter() - started)
            processor.append(processor_ms(process) / 1000.0)
    return {
        "seconds": round(statistics.median(seconds), 3),
        "processor_seconds": round(statistics.median(processor), 3),
    }


def memory() -> dict:
    """Return the memory of a server with five presets, after an answer of each."""
    series = json.dumps({"input": [float(x % 17) for x in range(200)]}).encode()
    ink = [[x, 10 * (x % 3), x == 11] for x in range(12)]
    with server(*FIVE) as (process, port):
        connection = connect(port)
        loaded = resident_mb(process)
        root = "/v1/presets"
        ask(connection, f"{root}/bilstm-ctc-an4/predict?name=a.flac", CLIP.read_bytes())
        ask(connection, f"{root}/lstm-small-ptb/predict", b'{"input": "the company said"}', JSON)
        ask(connection, f"{root}/bilstm-sst2/predict", b'{"input": "a fine film"}', JSON)
        ask(connection, f"{root}/lstm-laser/predict", series, JSON)
        ask(
            connection,
            f"{root}/blstm-ctc-gw-online/predict",
            json.dumps({"input": {"points": ink}}).encode(),
            JSON,
        )
        return {"loaded_mb": round(loaded, 1), "after_answers_mb": round(resident_mb(process), 1)}


def page() -> dict:
    """Return the time from opening the page in a new browser to its first text, and of the next text."""
    from playwright.sync_api import sync_playwright

    first, following = [], []
    with server(SPEECH) as (_, port), sync_playwright() as started:
        for _ in range(STARTS):
            browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            window = browser.new_page()
            begun = time.perf_counter()
            window.goto(f"http://127.0.0.1:{port}/")
            for times, clip in zip((first, following), sorted(CLIPS.glob("*.flac")), strict=False):
                window.set_input_files("input[type=file]", clip)
                window.wait_for_selector("#status:has-text('Answered')")
                times.append(time.perf_counter() - begun)
                window.evaluate("document.getElementById('status').textContent = ''")
                begun = time.perf_counter()
            browser.close()
    return {
        "first_seconds": round(statistics.median(first), 3),
        "next_seconds": round(statistics.median(following), 3),
    }


MEASURES = {
    "overhead": overhead,
    "first_answer": first_answer,
    "memory": memory,
    "page": page,
}


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", default=PARTS, help=", ".join(PARTS))
    parser.add_argument("--flags", action="append", help="of the server, in the part of clients")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clients", type=int, default=64)
    arguments = parser.parse_args()
    path = _timing.RESULTS / f"{NAME}.json"
    report = json.loads(path.read_text("utf-8")) if path.exists() else {}
    report["machine"] = _timing.machine()
    for part in arguments.parts:
        if part == "clients":
            for flags in arguments.flags or FLAGS:
                rows = compare_clients(flags, arguments.clients, arguments.seconds)
                kept = [row for row in report.get(part, []) if row["flags"] != flags]
                report[part] = kept + rows
        else:
            report[part] = MEASURES[part]()
        print(json.dumps({part: report[part]}, indent=1))
        print(_timing.save(NAME, report), flush=True)


if __name__ == "__main__":
    main()
