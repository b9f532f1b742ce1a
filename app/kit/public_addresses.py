"""Which internet addresses belong to the public internet, so that nobody's webhook reaches into the shop's own network.

Source: the IANA special-purpose address registries (RFC 6890 and what has been added since), and for IPv6 the rule that
only 2000::/3 is global unicast (RFC 4291).
"""

import ipaddress
import re

_IPV4_SPECIAL = [
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by the customers of a provider (CGNAT)
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, and where clouds keep their machines' credentials
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
]
_IPV6_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All else is loopback, private, link-local, multicast, or carries an IPv4 address: ::ffff:0:0/96, 64:ff9b::/96 …"""
_IPV6_SPECIAL = [
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # Teredo, ORCHID and other protocols
        "2001:db8::/32",
        "2002::/16",  # 6to4, with an IPv4 address in it
        "2620:4f:8000::/48",
        "3fff::/20",
    )
]
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)


def is_public(address: str) -> bool:
    """Whether a packet to it leaves for the public internet. Text that is no address is not."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in network for network in _IPV4_SPECIAL)
    if parsed.scope_id is not None or parsed not in _IPV6_GLOBAL_UNICAST:
        return False
    return not any(parsed in network for network in _IPV6_SPECIAL)


def is_odd_literal(host: str) -> bool:
    """An address in a form that only some programs read as one: `127.1`, `0x7f000001`, `2130706433`, `010.0.0.1`.

    Names never end in a number (https://url.spec.whatwg.org/#ends-in-a-number-checker), so what does is an address.
    """
    last = host.rstrip(".").rpartition(".")[2]
    return bool(_NUMERIC_LABEL.fullmatch(last)) and not is_literal(host)


def is_literal(host: str) -> bool:
    """Four decimal numbers without leading zeros, or an IPv6 address without its brackets."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
