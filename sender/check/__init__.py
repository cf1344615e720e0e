"""`python -m sender --check SOURCE`: what a camera offers, or why it gives nothing.

A `trial` reads the source for some seconds and lets `findings` hear what is met on the way. A
`report` is made of those; where nothing came, `diagnosis` says why; `advice` says what to do next;
and `sheet` writes all of it for people.
"""
