"""One release against its baselines: production, the last review, the last full review."""
