"""Record in a preset's metrics.json and card the training that its last training started from.

`zoo train --init` records it. For a preset of an earlier version of the zoo, this script reads it from
an old commit:

    python tools/earlier_training.py language/charlstm-shakespeare e0e4e2a
"""

from __future__ import annotations

import argparse
import json
import subprocess
from typing import Any

from zoo.common.core.settings import flatten
from zoo.common.presets import card, measurements, store
from zoo.common.presets.lineage import EARLIER, SCHEDULE
from zoo.common.presets.runs import write_json


def committed(commit: str, path: str) -> dict[str, Any]:
    """Return a JSON file of the repository as it was at a commit."""
    command = ["git", "-C", str(store.ROOT.parent), "show", f"{commit}:{path}"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Add the training of a preset at a commit, once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("preset")
    parser.add_argument(
        "commit", help="commit with the weights that the last training started from"
    )
    options = parser.parse_args()
    folder = store.ROOT / options.preset
    old = f"{store.ROOT.name}/{options.preset}"
    recipe = flatten(committed(options.commit, f"{old}/{store.RECIPE_FILE}"))
    training = {
        "history": committed(options.commit, f"{old}/{store.METRICS_FILE}")["training"]["history"],
        "settings": {key: value for key, value in recipe if key.startswith(SCHEDULE)},
    }
    metrics = measurements.read_metrics(folder)
    earlier = metrics["training"].setdefault(EARLIER, [])
    if training not in earlier:
        earlier.append(training)
    write_json(folder / store.METRICS_FILE, metrics)
    card.write_card(folder)


if __name__ == "__main__":
    main()
