"""The public catalogue: subjects, and one listing per published offer of any domain.

Domains publish and withdraw their listings; the catalogue shows and searches them, and has no code for any one domain.
"""
