"""People: who there is, in which roles, trained until when, reporting to whom."""
