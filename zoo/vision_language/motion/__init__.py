"""Motion: moving skeletons and video clips in, labels out."""
