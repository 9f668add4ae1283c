"""Connectionist temporal classification: loss, search and alignment.

A path has one symbol per frame. It collapses to a labelling: repeated symbols are merged, then blanks
are removed. Graves, Fernandez, Gomez and Schmidhuber, "Connectionist Temporal Classification", ICML
2006. `zoo.common.data.labels` defines the index of the blank.
"""
