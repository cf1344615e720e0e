"""One module a topic; its TRIALS are found by name, see tests/survive/catalogue.py."""
