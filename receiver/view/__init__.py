"""What people see: pictures and streams in any size, and the page."""
