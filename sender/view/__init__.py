"""What the sender shows of its cameras by itself, on its status port."""
