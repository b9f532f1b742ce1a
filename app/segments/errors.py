"""Codes of segments."""

from app.errors import ErrorCode


class SegmentErrorCode(ErrorCode):
    SEGMENT_KEY_TAKEN = "Another segment has this key."
    SEGMENT_IN_USE = "Another segment's condition asks for this one."
    SEGMENTS_IN_A_CIRCLE = "The segment would depend on itself, through the segments that its condition asks for."
