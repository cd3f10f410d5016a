"""What we say to the user when something is wrong, and where it is."""
