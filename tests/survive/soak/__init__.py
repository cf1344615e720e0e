"""Soak: hours of faults, and what they left behind."""
