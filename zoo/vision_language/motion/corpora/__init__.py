"""Corpora: one file per corpus, with its metadata and reader."""
