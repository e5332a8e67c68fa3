"""Keeps the web-chat channels of Mosend organisations equal to YAML files in Git."""

__version__ = "0.1.0"
