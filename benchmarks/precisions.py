"""Compare short trainings in float32 and in mixed_bfloat16 on dev, with several seeds.

    python benchmarks/precisions.py language/lstm-small-ptb --data corpora/ptb --epochs 1

The two precisions alternate for each seed, so that the seconds of their epochs can be compared. The test
split is not read. The precisions are equally good if the difference of the means is within the spread of
the seeds.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

import _timing

PRECISIONS = ("float32", "mixed_bfloat16")


def measure(recipe: str, data: Path, settings: dict) -> tuple[float, float]:
    """Return the best monitored metric on dev of one training, and the seconds of that epoch."""
    from zoo.api.train import train
    from zoo.common.core import registry

    with tempfile.TemporaryDirectory() as work:
        best = train(recipe, data=data, out=Path(work, "run"), overrides=settings).best
    return best[registry.entry(recipe).recipe().task.monitor], best["seconds"]


def main() -> None:
    """Train, print a table and save it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe")
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpus")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {precision: [] for precision in PRECISIONS}
    for seed in range(given.seeds):
        for precision, rows in found.items():
            settings = {
                "training.epochs": given.epochs,
                "training.seed": seed,
                "training.precision": precision,
            }
            rows.append(_timing.in_own_process(measure, given.recipe, given.data, settings))
    results = {
        precision: {
            "dev": [figure for figure, _ in rows],
            "mean": statistics.mean(figure for figure, _ in rows),
            "epoch_seconds": statistics.median(seconds for _, seconds in rows),
        }
        for precision, rows in found.items()
    }
    rows = [
        [
            precision,
            *(f"{x:.4f}" for x in of["dev"]),
            f"{of['mean']:.4f}",
            f"{of['epoch_seconds']:.1f}",
        ]
        for precision, of in results.items()
    ]
    seeds = [f"seed {seed}" for seed in range(given.seeds)]
    print(_timing.table([given.recipe, *seeds, "mean", "seconds per epoch"], rows))
    report = {
        "machine": _timing.machine(),
        "recipe": given.recipe,
        "epochs": given.epochs,
        "results": results,
    }
    print(_timing.save("precisions", report))


if __name__ == "__main__":
    main()
