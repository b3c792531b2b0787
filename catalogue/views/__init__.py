"""Public pages of the catalogue, and the page where teachers say what they teach."""
