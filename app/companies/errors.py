"""What buyers for companies can hear."""

from app.errors import ErrorCode


class CompanyErrorCode(ErrorCode):
    APPROVAL_REQUIRED = "Somebody of the company has to agree: ask for it with companyApprovalRequest."
    NOT_A_MEMBER = "Sign in as somebody who buys for this company."
