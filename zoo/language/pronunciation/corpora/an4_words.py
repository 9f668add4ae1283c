"""The words of AN4's dictionary: months, numbers and commands, with their pronunciations."""

from __future__ import annotations

from zoo.common.core.corpus import Corpus
from zoo.language.pronunciation.corpora.spelled import dictionary_reader

AN4_WORDS = Corpus(
    name="an4",
    title="CMU AN4's dictionary: 75 words of two letters or more with their phonemes",
    licence="CMU, free for any use",
    source="https://github.com/cmusphinx/an4",
    read=dictionary_reader("an4", "etc/an4.dic", test_share=0.2),
)
