"""What can be wrong with campaigns."""

from app.errors import ErrorCode


class CampaignErrorCode(ErrorCode):
    CAMPAIGN_NOT_MARKETING = "The template is for messages about orders; a campaign takes one for marketing."
    CAMPAIGN_STARTED = "The campaign has started, so it cannot be changed or deleted any more."
    CAMPAIGN_STATE = "The campaign's status does not allow this."
    CHANNEL_DISABLED = "The shop has this channel switched off."
