"""Health, readiness and metrics: what load balancers, Prometheus and its dashboards read.

Counters live in memory that the processes of a machine share (`files`), so whichever process answers tells of all.
What is in the database is read when it is asked for (`stored`). Labels are names from closed lists, never paths or ids.
"""
