"""Puts the demo's data in place, through the same public functions the pages use. Each part can be run again.

What is there already, found by address or title, is left as people changed it.
"""
