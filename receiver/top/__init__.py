"""`python -m receiver.top`: a receiver's cameras and hooks in a terminal."""
