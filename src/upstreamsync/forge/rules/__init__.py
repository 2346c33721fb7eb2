"""What is to be done with a proposal, and when. Pure."""
