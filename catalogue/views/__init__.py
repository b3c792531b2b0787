"""Public pages of the catalogue, and the page where teachers enter what they teach."""
