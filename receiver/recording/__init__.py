"""What a receiver keeps of its cameras on disk, and how it is shown again."""
