"""Motion: classification of skeletons and video clips."""
