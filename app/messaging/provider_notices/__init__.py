"""What providers tell after they took a message: delivered, came back, reported as spam, not wanted any more.

A webhook is believed by its signature, stored once and answered at once; what follows from it happens in an event. The
effects do not depend on the order in which notices come.
"""
