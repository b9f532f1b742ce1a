"""What `dramatiq workers.main` imports: the broker, the actor and the handlers."""

import dramatiq

from app.events import set_publisher
from app.logging import configure_logging
from app.settings import get_settings
from workers import actors, subscriptions
from workers.broker import build_broker
from workers.relay import Relay

settings = get_settings()
configure_logging(settings)
broker = build_broker(settings, for_worker=True)
dramatiq.set_broker(broker)
actors.register(broker)
subscriptions.load()

# Handlers record events of their own; they go out by a connection that no consumer waits on.
relay = Relay(build_broker(settings))
relay.start()
set_publisher(relay.publish)
