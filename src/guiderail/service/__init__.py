"""The use cases, one per file: open the transaction, call the stages, append the event."""
