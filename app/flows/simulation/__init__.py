"""What a flow would have done: its real decisions over what really happened, in a time of its own, writing nothing."""
