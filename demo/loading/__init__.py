"""Load the demo's data through the same public functions that the pages use. Each part can be run again.

Data that exists already, found by address or title, is left as people changed it.
"""
