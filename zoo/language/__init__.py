"""Language: text in, its probability or its continuation out."""
