"""What students and teachers fill in. Amounts are typed in major units and leave here as Money."""
