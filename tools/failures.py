"""Record the worst answers of shipped presets on dev in metrics.json and the card.

python tools/failures.py [PRESET...]

`zoo publish` does the same for a new preset. The folder of the corpus is that of the recorded command.
Presets whose evaluations have no reference answers, such as language models, get none.
"""

from __future__ import annotations

import sys

from zoo.api.comparison import record_failures
from zoo.api.evaluate import evaluate
from zoo.common.presets import store
from zoo.common.presets.card import corpus_argument, write_card
from zoo.common.presets.measurements import read_metrics


def main(names: list[str]) -> None:
    """Evaluate the presets on dev."""
    for name in names:
        folder = store.folder_of(name)
        figures = read_metrics(folder)["figures"]
        data = corpus_argument(figures, name).removeprefix(" --data ") or None
        result = evaluate(name, data=data, split="dev")
        record_failures(folder, result)
        write_card(folder)
        print(name, read_metrics(folder).get("failures", {}).get("rows"), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or store.names())
