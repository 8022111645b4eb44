"""Facts about the use."""
