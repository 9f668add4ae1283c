"""Time series: past values in, the next ones out."""
