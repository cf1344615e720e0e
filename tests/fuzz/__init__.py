"""Fuzzing of what cameras, clients and strangers may send us, and of what lies on disks."""
