"""A process of the receiver's own: started, spoken to, killed and reaped."""
