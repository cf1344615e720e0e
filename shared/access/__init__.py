"""What both programs that serve ask of whoever comes: tokens, names, and what is said to whom."""
