"""Live pictures as both programs serve them: in any size, each encoded once for all who look."""
