"""Fuzzing of what a camera may send us over RTSP: python -m tests.fuzz --help."""
