"""What can be wrong with connections to CRM systems."""

from app.errors import ErrorCode


class CrmErrorCode(ErrorCode):
    CRM_UNKNOWN = "No adapter of this name is installed."
