"""Copies of what MLflow names, pinned by version and digest. Nothing here loads a model."""
