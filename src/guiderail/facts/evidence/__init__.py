"""Facts read from reports that tools wrote about the release."""
