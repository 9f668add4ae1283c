"""Classification: a series of several channels in, a label out."""
