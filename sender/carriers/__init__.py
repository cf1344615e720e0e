"""What brings frames to a receiver by another way than HTTP: each a Client for the poster, and the
Endpoint that makes its requests.
"""
