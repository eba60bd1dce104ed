"""The version of skrec."""

__version__ = "0.1.0"
