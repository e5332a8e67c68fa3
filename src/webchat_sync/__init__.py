"""Keeps the web-chat channels of Mosend organisations in sync with YAML files in Git."""

__version__ = "0.1.0"
