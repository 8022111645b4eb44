"""A witness: remembers the newest checkpoint of other people's logs and signs what continues it."""
