"""Facts about running the release."""
