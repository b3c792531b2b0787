"""Courses: modules of lessons that students work through at their own pace.

Invariants: one enrolment per student and course, however many orders are paid; only enrolled students, subscribers
whose plan opens it and the teacher can open lessons and files, except free previews; a withdrawn course is no longer sold but stays open to its students.

payments calls `handler`. Only `holds` changes the state of enrolments; only `publishing` and `authoring` change courses
and their listings in the catalogue.
"""

# The domain's name in orders, carts, listings and in the metadata of payments at Stripe.
DOMAIN = "courses"
