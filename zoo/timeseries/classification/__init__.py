"""Classification of series with several channels."""
