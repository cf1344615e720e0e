"""`python -m receiver.worker`: runs hooks on the frames that receivers bring to the bus."""
