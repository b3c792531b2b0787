"""Forms for students and teachers. Amounts are entered in major units and returned as Money."""
