"""Word embeddings: vectors of words."""
