"""WikiText-2: words of good articles of Wikipedia, in the files of the release."""

from __future__ import annotations

from zoo.common.core.corpus import Corpus, Download
from zoo.language.texts import Part, text_reader

SPLITS = {name: Part(f"wiki.{name}.tokens") for name in ("train", "valid", "test")}

WIKITEXT2 = Corpus(
    name="wikitext2",
    title="WikiText-2: 2 M words of Wikipedia's good articles",
    licence="CC BY-SA 3.0",
    source="https://huggingface.co/datasets/Salesforce/wikitext",
    read=text_reader("wikitext2", SPLITS),
    dev_split="valid",
    downloads=(
        # The address of torchtext, at s3.amazonaws.com, does not answer any more.
        Download(
            "https://wikitext.smerity.com/wikitext-2-v1.zip",
            size=4_500_000,  # approximate
            recorded="several public programs (address); no checksum of this copy was found",
            strip=1,
        ),
    ),
)
