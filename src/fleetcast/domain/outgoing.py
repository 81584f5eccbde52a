"""Which addresses fleetcast connects to on its own: public ones, and what a fleet allows besides."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from fleetcast.domain.errors import BadInput

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_LOOPBACK, _MULTICAST, _UNSPECIFIED, _RESERVED = "loopback", "multicast", "unspecified", "reserved"
_SPECIAL_4: tuple[tuple[IPv4Network, str], ...] = tuple(
    (IPv4Network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", _UNSPECIFIED),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by a provider's customers"),
        ("127.0.0.0/8", _LOOPBACK),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", _RESERVED),
        ("192.0.2.0/24", _RESERVED),
        ("192.88.99.0/24", _RESERVED),
        ("192.168.0.0/16", "private"),
        ("198.18.0.0/15", _RESERVED),
        ("198.51.100.0/24", _RESERVED),
        ("203.0.113.0/24", _RESERVED),
        ("224.0.0.0/4", _MULTICAST),
        ("240.0.0.0/4", _RESERVED),
    )
)
_SPECIAL_6: tuple[tuple[IPv6Network, str], ...] = tuple(
    (IPv6Network(network), kind)
    for network, kind in (
        ("::/128", _UNSPECIFIED),
        ("::1/128", _LOOPBACK),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("ff00::/8", _MULTICAST),
        # Tunnels: what is behind them cannot be seen here.
        ("2001::/23", _RESERVED),
        ("2001:db8::/32", _RESERVED),
        ("2002::/16", _RESERVED),
        ("3fff::/20", _RESERVED),
    )
)
_PUBLIC_6 = IPv6Network("2000::/3")
_TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv4 as a network that speaks IPv6 alone writes it (NAT64)."""
_NEVER = frozenset({_MULTICAST, _UNSPECIFIED, _RESERVED})


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Where fleetcast may connect to: public addresses by TLS, and the networks that are named here."""

    networks: tuple[Network, ...] = ()
    """Private ones that may be reached; loopback among them may be spoken to without TLS."""
    hosts: tuple[str, ...] = ()
    """The only names that may be asked; empty: any."""
    setting: str = "allowed_networks"
    """Where people write `networks`."""

    def __post_init__(self) -> None:
        for network in self.networks:
            check_allowable(network)

    def refusal(self, address: Address, *, encrypted: bool) -> str:
        """Why an address may not be connected to; empty if it may.

        Args:
            address: What is really connected to, after the name was resolved.
            encrypted: Whether TLS is spoken.
        """
        meant = _unwrapped(address)
        kind = kind_of(meant)
        allowed = any(meant in network for network in self.networks) and kind not in _NEVER
        if kind and not allowed:
            return f"{meant} is {kind}" if meant == address else f"{address} is {meant}, which is {kind}"
        if not encrypted and kind != _LOOPBACK:
            return f"{meant} is not this machine, and the address does not begin with https://"
        return ""

    def names(self, host: str) -> bool:
        """Whether a host may be asked at all."""
        return not self.hosts or _plain(host) in {_plain(known) for known in self.hosts}

    @property
    def allows_loopback(self) -> bool:
        """Whether a server on this machine may be reached."""
        return any(
            network.overlaps(own)
            for network in self.networks
            for own in (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
            if network.version == own.version
        )


def kind_of(address: Address) -> str:
    """What an address is that is not a public one; empty for public ones."""
    address = _unwrapped(address)
    special: tuple[tuple[Network, str], ...] = _SPECIAL_4 if isinstance(address, IPv4Address) else _SPECIAL_6
    found = next((kind for network, kind in special if address in network), "")
    if not found and isinstance(address, IPv6Address) and address not in _PUBLIC_6:
        return _RESERVED
    return found


def network_of(text: str) -> Network:
    """Read a network as `10.20.0.0/16` or a single address.

    Raises:
        BadInput: It is none, or none that can be allowed.
    """
    try:
        network = ip_network(text)
    except ValueError:
        raise BadInput(
            f"{text[:60]!r} is no network",
            fix="write it as 10.20.0.0/16, with the bits after the length zero",
        ) from None
    check_allowable(network)
    return network


def check_allowable(network: Network) -> None:
    """Make sure that a network is wholly one of those that people have for themselves.

    Raises:
        BadInput: It holds public addresses, or some that nobody connects to.
    """
    special: tuple[tuple[Network, str], ...] = _SPECIAL_4 if network.version == 4 else _SPECIAL_6
    for known, kind in special:
        if kind not in _NEVER and network.overlaps(known) and network.prefixlen >= known.prefixlen:
            return
    raise BadInput(
        f"{network} is not a private network",
        fix="name the private network that is meant, as 10.20.0.0/16; public addresses need no mention",
    )


def address_of(text: str) -> Address:
    """Read an address as the system writes it, with or without the name of an interface.

    Raises:
        BadInput: It is none.
    """
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        raise BadInput(f"{text[:60]!r} is no address", fix="see what the name service answers") from None


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for; any other as it is."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _plain(host: str) -> str:
    return host.rstrip(".").casefold()
