"""Courses: modules of lessons a student works through at their own pace."""
