"""Facts: typed values about a release, each with its source and how it is known."""
