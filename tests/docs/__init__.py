"""Runs what the documents say: a page's blocks in order, in a copy of the project."""
