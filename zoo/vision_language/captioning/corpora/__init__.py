"""Corpora, one file each, with metadata and reader."""
