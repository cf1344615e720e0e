"""Mutation testing: change the product a little, and see whether a test notices."""
