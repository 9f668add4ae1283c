"""Connectionist temporal classification: loss, search and alignment.

A path names one symbol a frame; it collapses to a labelling when runs of one symbol are merged and
blanks are then dropped. Graves, Fernandez, Gomez and Schmidhuber, "Connectionist Temporal
Classification", ICML 2006. `zoo.common.data.labels` fixes which symbol is the blank.
"""
