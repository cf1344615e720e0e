"""A proxy for TCP that does to a line what networks do; from tests and from a terminal."""
