"""guiderail.yaml: schema, strict loading with places, JSON Schema, and the release it describes."""
