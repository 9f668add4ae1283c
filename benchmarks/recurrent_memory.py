"""Compare the peak memory of training one recurrent layer of the zoo and of stock Keras.

    python benchmarks/recurrent_memory.py

Each process builds one layer, makes three training steps with the largest shape of `recurrent.py`, and
reports its peak resident memory, and the part of it that the steps added. The processes of the
contenders alternate, and the medians are compared.
"""

import resource
import statistics

import _timing
import recurrent

SHAPE = max(recurrent.SHAPES, key=lambda shape: shape[0] * shape[1] * shape[3])
CONTENDERS = ("zoo", "keras")
REPEATS = 5


def peak_mib(contender, cell):
    """Return the peak memory of this process after three training steps, and the part they added."""
    _timing.set_threads(2)
    (run,) = recurrent.make_runs(cell, SHAPE, False, True, (contender,)).values()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(3):
        run()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024, (peak - before) / 1024


def main():
    """Measure both cells and write results/recurrent_memory.json."""
    report = {"machine": _timing.machine(), "shape": SHAPE, "results": []}
    rows = []
    for cell in recurrent.GATES:
        peaks = {name: [] for name in CONTENDERS}
        for _ in range(REPEATS):
            for name in CONTENDERS:
                peaks[name].append(_timing.in_own_process(peak_mib, name, cell))
        for index, what in enumerate(("process", "added by the steps")):
            mib = {n: statistics.median(peak[index] for peak in p) for n, p in peaks.items()}
            ratio = mib["zoo"] / mib["keras"]
            rows.append([cell, what, mib["zoo"], mib["keras"], ratio])
            report["results"].append({"cell": cell, "what": what, "mib": mib, "ratio": ratio})
    print(_timing.table(["cell", "peak of", "zoo, MiB", "Keras, MiB", "zoo / Keras"], rows))
    print("Written to", _timing.save("recurrent_memory", report))


if __name__ == "__main__":
    main()
