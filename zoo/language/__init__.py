"""Language: text in, its probability or its continuation out."""

from zoo.language import lstm_lm as lstm_lm
