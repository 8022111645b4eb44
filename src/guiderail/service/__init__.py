"""The use cases, one per file: each opens the transaction, calls the stages and appends the event."""
