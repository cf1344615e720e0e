"""Programs and hooks that benchmarks run in processes of their own, beside those of the rivals."""
