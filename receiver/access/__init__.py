"""Access: who may do what at a receiver or a worker, by the token that a request brings."""
