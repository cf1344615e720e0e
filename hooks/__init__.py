"""Example hooks: each file is a whole one, to copy and change."""
