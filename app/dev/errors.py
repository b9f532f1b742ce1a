"""What can keep the development servers from starting."""


class DevelopmentError(Exception):
    """A reason in plain words, with what to do about it. Shown to the developer without a traceback."""
