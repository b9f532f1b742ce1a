"""What staff can get wrong about flows."""

from app.errors import ErrorCode


class FlowErrorCode(ErrorCode):
    FLOW_DEFINITION_INVALID = "The flow's definition has a mistake; the message names the step and says what to do."
    FLOW_KEY_TAKEN = "Another flow has this key."
    FLOW_KEY_FIXED = "A flow keeps the key that it was made with: runs, messages and other flows name it."
    FLOW_NOT_PUBLISHED = "The flow has to be published for this."
    FLOW_RUN_FINISHED = "The run has come to its end already."
    FLOW_VERSION_UNKNOWN = "The flow has no such version."
