"""What benchmarks are made of: how turns are taken, what is counted, and how it is told."""
