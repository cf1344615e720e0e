"""Requests that no client of ours would send, as bytes, and what class of answer each must get."""
