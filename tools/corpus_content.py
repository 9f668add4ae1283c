"""Record the content of the corpora in metrics.json of the shipped presets.

Usage: python tools/corpus_content.py DATA [PATTERN]. DATA has a folder of each corpus. A preset gets the
record only if its training data, read again, has the checksum that its training recorded. `zoo publish`
records the content of the corpora of new presets.
"""

import fnmatch
import sys
from pathlib import Path

from zoo.api.sources import filter_training, find_source, read_train_and_dev
from zoo.common.core import registry
from zoo.common.core.corpus import Corpus
from zoo.common.core.errors import ZooError
from zoo.common.presets import store
from zoo.common.presets.corpus_record import Splits, read_splits, write_record
from zoo.common.presets.measurements import read_metrics


def is_training_data(name: str, corpus: Corpus, folder: Path) -> bool:
    """Return whether a folder has the examples that a preset was trained on."""
    recipe = store.load_recipe(store.ROOT / name)
    examples = read_train_and_dev(recipe, corpus, find_source(folder, None, corpus))
    examples, _ = filter_training(recipe, examples)
    checksum = recipe.data.checksum(examples.train + examples.dev)
    return checksum == read_metrics(store.ROOT / name)["training"]["data_checksum"]


def main(data: str, pattern: str = "*") -> None:
    """Record the content for the presets whose name matches a pattern."""
    done: dict[Corpus, Splits] = {}
    for name in fnmatch.filter(store.names(), pattern):
        corpus = registry.entry(name).corpus
        folder = corpus.folder or Path(data) / corpus.name
        try:
            if not is_training_data(name, corpus, folder):
                print(f"{name}: not recorded: {folder} has other training data")
                continue
            if corpus not in done:
                done[corpus] = read_splits(corpus, folder)
            write_record(store.ROOT / name, corpus, done[corpus])
            print(f"{name}: recorded")
        except ZooError as error:
            print(f"{name}: not recorded: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
