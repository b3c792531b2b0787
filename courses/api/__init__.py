"""Courses that a student has, and how far they are, for programs."""
