"""Translation: a sentence in, a sentence in another language out."""
