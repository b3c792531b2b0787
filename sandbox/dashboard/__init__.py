"""The dashboard for developers: pages for all stored objects, and buttons for what banks and people do.

Pages only read the store; buttons are POST forms that make the same calls as a client.
"""
