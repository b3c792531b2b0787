"""The pages for whoever develops against the sandbox: everything in it, and buttons for what a bank or a person does.

Pages read the store and never change it; buttons are POST forms, and what they do is the same call a client would make.
"""
