"""Frames that wait on the disk until the receiver's hook had them: `--delivery every`.

A reader fills a queue in memory, a spooler makes JPEGs of what is in it and appends them to the
spool, a poster sends the oldest until it is settled. See docs/delivery.md.
"""
