"""Who acts, as the log names them."""

from starlette.requests import Request

from app.audit.models import ActorKind
from app.audit.recording import Actor, Origin
from app.settings import Settings
from app.staff.permissions import StaffIdentity
from app.web.client import client_ip


def actor_of(identity: StaffIdentity) -> Actor:
    return Actor(ActorKind.API_KEY if identity.is_key else ActorKind.STAFF, identity.id, identity.name)


def origin_of_request(request: Request, settings: Settings) -> Origin:
    """For routes beside GraphQL."""
    request_id = request.scope.get("state", {}).get("request_id")
    return Origin(client_ip(request, settings), request.headers.get("user-agent"), request_id)
