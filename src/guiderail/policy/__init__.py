"""The policy language, packs, evaluation and explanation."""
