"""What can be wrong with referrals."""

from app.errors import ErrorCode


class ReferralErrorCode(ErrorCode):
    REFERRALS_OFF = "The shop has no running refer-a-friend program."
