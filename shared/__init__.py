"""What both services must agree on, and the parts that their loops are made of.

A module is here only while at least two of the top-level packages use it; a test says so. Nothing
here opens a socket, starts a process or reads the environment.
"""
