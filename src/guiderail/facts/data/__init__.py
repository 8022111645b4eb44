"""Facts about training and evaluation data."""
