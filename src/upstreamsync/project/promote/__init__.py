"""``promote``: one pull request kept open between two branches."""
