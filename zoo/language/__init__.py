"""Language: models of texts, their classes, translations, word vectors and pronunciations."""
