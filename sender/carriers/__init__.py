"""What brings frames to a receiver: by the scheme of its URL a Client for the poster, and the
Endpoint that makes its requests.
"""
