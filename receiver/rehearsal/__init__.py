"""`python -m receiver --check-hook`: a hook tried on one picture, before any camera is there."""
