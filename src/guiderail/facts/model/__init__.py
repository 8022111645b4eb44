"""Facts read from the model file and from scoring it on frozen data."""
