"""``verify``: both trees laid out for the judge, and what can be corrected put together."""
