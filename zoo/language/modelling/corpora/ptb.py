"""The Penn Treebank as preprocessed by Mikolov: lower case, no punctuation, 10,000 words."""

from __future__ import annotations

from zoo.common.core.corpus import Corpus, Download
from zoo.language.texts import Part, text_reader

SPLITS = {name: Part(f"ptb.{name}.txt") for name in ("train", "valid", "test")}

PTB = Corpus(
    name="ptb",
    title="Penn Treebank: 1.1 M words of the Wall Street Journal in Mikolov's form, 10 k vocabulary",
    licence="derived from LDC's Treebank; free for research",
    source="https://www.fit.vutbr.cz/~imikolov/rnnlm/simple-examples.tgz",
    read=text_reader("ptb", SPLITS),
    dev_split="valid",
    restricted=True,
    downloads=(
        Download(
            "http://www.fit.vutbr.cz/~imikolov/rnnlm/simple-examples.tgz",
            size=34_869_662,
            checksum="md5:30177ea32e27c525793142b6bf2c8e2d",
            recorded="PaddlePaddle's dataset imikolov (address and checksum), a recipe of Kaldi (size)",
            members=("README*", "ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"),
            strip=2,
        ),
    ),
)
