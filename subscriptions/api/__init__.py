"""Plans and one's own subscription, for programs."""
