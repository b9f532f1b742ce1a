"""What is kept about people, for how long, and how they get it and get rid of it."""
