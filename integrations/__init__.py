"""What programs of other people need: tokens to sign in with, and requests that can be repeated without a second effect.

An endpoint of any app is an `endpoints.Endpoint`; it names the scope that a token needs for each method. The apps above
bring the endpoints; this one knows none of them.
"""
