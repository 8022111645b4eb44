"""Keys, signed envelopes and the statements that they carry."""
