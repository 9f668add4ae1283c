"""Measure shipped presets and their baselines on test, and record both in metrics.json and the card.

python tools/baselines.py PRESET...

`zoo publish` does the same for a new preset. The folder of the corpus is that of the recorded command.
Each evaluation is counted as a reading of the test split.
"""

from __future__ import annotations

import sys

from zoo.api.comparison import check_baseline_packages, measure, record_comparison
from zoo.common.core import registry
from zoo.common.core.errors import ZooError
from zoo.common.presets import store
from zoo.common.presets.card import corpus_argument, write_card
from zoo.common.presets.measurements import read_metrics

# Maximum difference of a metric from the recorded one.
TOLERANCE = 1e-4


def main(names: list[str]) -> None:
    """Measure the presets."""
    for name in names:
        folder, split = store.folder_of(name), registry.entry(name).corpus.test_split
        check_baseline_packages(store.load_recipe(folder))
        before = read_metrics(folder)["figures"]
        data = corpus_argument(before, name).removeprefix(" --data ") or None
        result = measure(folder, data, split)
        if any(
            abs(value - before[split]["metrics"][key]) > TOLERANCE
            for key, value in result.metrics.items()
        ):
            raise ZooError(f"{name}: the figures have changed. Received: {result.metrics}.")
        record_comparison(folder, result, data)
        write_card(folder)
        print(
            name,
            read_metrics(folder).get("baseline", {}).get("compared", "no baseline"),
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
