"""Courses: modules of lessons a student works through at their own pace.

Invariants: one enrolment per student and course, whoever pays how often; lessons and files are seen by the enrolled and
the teacher only, except free previews; a withdrawn course is no longer sold but stays open to its students.

`handler` is the side payments talks to, `holds` the only place where enrolments change state, `publishing` and
`authoring` the only places where teachers' and staff's changes reach the catalogue.
"""

# The domain's name in orders, carts, listings and in the metadata of payments at Stripe.
DOMAIN = "courses"
