"""Guiderail: the governed way into production for apps, ML models and data pipelines."""

__version__ = "0.1.0"
