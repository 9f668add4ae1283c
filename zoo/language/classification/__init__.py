"""Text classification: a text in, a label out."""
