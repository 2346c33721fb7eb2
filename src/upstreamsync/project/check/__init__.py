"""``check``: what each vendor would move to."""
