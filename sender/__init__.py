"""The sender: reads cameras and posts their newest frames."""
