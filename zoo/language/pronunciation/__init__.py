"""Pronunciation: the phonemes of a word from its letters."""
