"""The countries that the pages offer."""

COUNTRIES = (
    ("US", "United States"), ("GB", "United Kingdom"), ("IE", "Ireland"), ("DE", "Germany"), ("FR", "France"),
    ("ES", "Spain"), ("IT", "Italy"), ("NL", "Netherlands"), ("BE", "Belgium"), ("AT", "Austria"), ("PL", "Poland"),
    ("PT", "Portugal"), ("SE", "Sweden"), ("DK", "Denmark"), ("NO", "Norway"), ("CH", "Switzerland"),
    ("CA", "Canada"), ("AU", "Australia"), ("NZ", "New Zealand"), ("IN", "India"), ("JP", "Japan"),
    ("SG", "Singapore"), ("BR", "Brazil"), ("MX", "Mexico"),
)  # fmt: skip
