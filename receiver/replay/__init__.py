"""`python -m receiver.replay`: a hook on every frame of recordings, and what changed since."""
