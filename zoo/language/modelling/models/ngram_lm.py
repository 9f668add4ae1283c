"""Recipes of n-gram language models. See `zoo.language.modelling.ngrams`."""

from __future__ import annotations

from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.decoding.decoders import Generation
from zoo.common.tasks.language_modelling import LanguageModelling
from zoo.common.training.trainers import Counting
from zoo.language.modelling.corpora.ptb import PTB
from zoo.language.modelling.data import RunningText
from zoo.language.modelling.ngrams import NGramLanguageModel


@register(
    "language/kn5-ptb",
    paper="Kneser & Ney 1995; Chen & Goodman 1999",
    corpus=PTB,
    metric="perplexity",
    shipped=False,
)
def kn5_ptb(name: str) -> Recipe:
    """Smoothed counts of up to five words predict the next word of newspaper English.

    The classical baseline of language modelling: interpolated modified Kneser-Ney 5-grams, as SRILM's
    `-order 5 -kndiscount -interpolate` without cutoffs. Training is one pass that takes seconds. The
    file is in the ARPA format, which speech decoders and KenLM read.

    It reads the last four words of the line. The vocabulary is the 10,000 words of the Penn Treebank;
    every other word is `<unk>`. Perplexity counts every word and the end of every line.
    """
    return Recipe(
        name=name,
        data=RunningText(tokenization="word"),
        model=NGramLanguageModel(vocabulary_size=10_000, order=5),
        task=LanguageModelling(monitor="perplexity"),
        decoder=Generation(length=50),
        training=Counting(),
    )
