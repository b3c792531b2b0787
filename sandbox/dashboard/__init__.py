"""The pages for developers who use the sandbox: everything in it, and buttons for what banks and people do.

Pages read the store and never change it; buttons are POST forms that make the same calls as a client.
"""
