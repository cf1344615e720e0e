"""What takes frames that do not come by HTTP (`--listen`), and gives results back the same way.

A listener gives pictures to the desk, as the routes do: the same checks, the same books.
"""
