"""Files that are uploaded, and links that show them to people without a key."""
