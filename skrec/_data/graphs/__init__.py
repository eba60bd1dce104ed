"""Graphs of users or items that the caller passes."""
