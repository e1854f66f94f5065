"""Templates: what enrolment stores of a typist, and the decision on a new sample."""
