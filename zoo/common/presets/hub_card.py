"""The card of a preset on the hub: CARD.md with the metadata of the hub's `ModelCard`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.common.core import registry
from zoo.common.core.corpus import Corpus
from zoo.common.presets import store
from zoo.common.presets.measurements import read_metrics
from zoo.common.utils.files import read_text
from zoo.common.utils.packages import import_package

LICENCE = "apache-2.0"


def hub_card(folder: Path) -> str:
    """Return README.md of a preset on the hub.

    The metadata has the licence, the library, tags, the corpus, and the metrics of each evaluated split.

    Args:
        folder: folder of a preset with a card and metrics.

    Raises:
        ZooError: a file is missing or corrupt, or huggingface_hub is not installed.
    """
    hub = import_package("huggingface_hub", "huggingface_hub", "hub")
    recipe = store.load_recipe(folder)
    entry, metrics = registry.entry(recipe.name), read_metrics(folder)
    family = recipe.name.partition("/")[0]
    results = [
        hub.EvalResult(
            task_type=type(recipe.task).__name__.lower(),
            dataset_type=entry.corpus.name,
            dataset_name=entry.corpus.title,
            dataset_split=split,
            metric_type=name,
            metric_value=value,
        )
        for split, row in metrics.get("figures", {}).items()
        for name, value in row["metrics"].items()
    ]
    data = hub.ModelCardData(
        **_licence(entry.corpus),
        library_name="keras",
        tags=["recurrent-zoo", family.replace("_", "-"), recipe.model.file.rpartition(".")[2]],
        datasets=[entry.corpus.name],
        metrics=[entry.metric],
        model_name=recipe.name,
        eval_results=results,
    )
    return f"---\n{data.to_yaml()}\n---\n\n{read_text(folder / store.CARD_FILE)}"


def _licence(corpus: Corpus) -> dict[str, Any]:
    """Return the licence: that of the zoo, unless the one of the corpus restricts the use."""
    if not corpus.restricted:
        return {"license": LICENCE}
    return {
        "license": "other",
        "license_name": f"{corpus.name}-terms",
        "license_link": corpus.source,
    }
