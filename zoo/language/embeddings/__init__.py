"""Word embeddings: words in, vectors out."""
