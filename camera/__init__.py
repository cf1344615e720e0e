"""A simulated RTSP camera, for the demo, the tests and the benchmarks: `python -m camera`.

FFmpeg encodes and packetises; what is written here is the RTSP session around it, and the faults
that a real camera shows only on its bad days.
"""
