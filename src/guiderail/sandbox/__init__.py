"""Reading untrusted model files without executing them, and running them in a limited process."""
