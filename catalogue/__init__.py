"""What can be found: subjects, and one listing per published offer of any domain.

Domains publish and withdraw their listings; the catalogue only shows and searches them, and knows no domain by name.
"""
