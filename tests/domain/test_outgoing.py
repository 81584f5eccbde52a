"""Which addresses fleetcast connects to on its own."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fleetcast.domain.errors import BadInput
from fleetcast.domain.outgoing import Address, Outgoing, address_of, kind_of, network_of

CLOSED = Outgoing()
V4 = st.ip_addresses(v=4)
V6 = st.ip_addresses(v=6)
SPECIAL = st.sampled_from(
    [
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.168.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "fc00::/7", "fe80::/10", "ff00::/8"),
    ]
).flatmap(lambda network: st.ip_addresses(network=network))


@given(address=V4 | V6 | SPECIAL)
def test_what_is_let_through_is_public_by_the_standard_library_too(address: Address) -> None:
    if not CLOSED.refusal(address, encrypted=True):
        meant = address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
        assert meant.is_global
        assert not any((meant.is_multicast, meant.is_loopback, meant.is_link_local, meant.is_private))


@given(address=V4)
def test_every_public_ipv4_address_is_let_through(address: IPv4Address) -> None:
    odd = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))  # partly global, and nobody's server
    if address.is_global and not address.is_multicast and not any(address in network for network in odd):
        assert CLOSED.refusal(address, encrypted=True) == ""


@given(address=SPECIAL)
def test_no_special_address_is_let_through(address: Address) -> None:
    assert CLOSED.refusal(address, encrypted=True)


@given(address=V4)
@example(address=IPv4Address("127.0.0.1"))
@example(address=IPv4Address("8.8.8.8"))
def test_ipv4_inside_ipv6_is_judged_as_ipv4(address: IPv4Address) -> None:
    plain = kind_of(address)
    assert kind_of(IPv6Address(f"::ffff:{address}")) == plain
    assert kind_of(IPv6Address(f"64:ff9b::{address}")) == plain
    assert kind_of(IPv6Address((0x2002 << 112) | (int(address) << 80)))
    assert kind_of(IPv6Address(int(address)))


@given(address=SPECIAL | V4 | V6, allowed=st.sampled_from(["10.0.0.0/8", "127.0.0.1/32", "fc00::/7"]))
def test_a_network_that_is_named_lets_through_its_own_addresses_and_no_others(
    address: Address, allowed: str
) -> None:
    network = ip_network(allowed)
    open_too = Outgoing(networks=(network,))
    inside = address.version == network.version and address in network
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        inside = address.ipv4_mapped in network
    expected = "" if inside else CLOSED.refusal(address, encrypted=True)
    assert open_too.refusal(address, encrypted=True) == expected


@given(address=SPECIAL | V4 | V6)
def test_without_tls_nothing_but_an_allowed_loopback_is_let_through(address: Address) -> None:
    networks = tuple(ip_network(text) for text in ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "fc00::/7"))
    if not Outgoing(networks=networks).refusal(address, encrypted=False):
        assert kind_of(address) == "loopback"


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("8.8.8.8", ""),
        ("2606:4700::1", ""),
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("192.168.1.1", "private"),
        ("fd00:ec2::254", "private"),
        ("100.64.0.1", "shared by a provider's customers"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("0.0.0.0", "unspecified"),  # noqa: S104  # the address itself is meant
        ("::", "unspecified"),
        ("255.255.255.255", "reserved"),
        ("64:ff9b::7f00:1", "loopback"),
        ("2002:7f00:1::", "reserved"),
        ("2001::1", "reserved"),
        ("::7f00:1", "reserved"),
    ],
)
def test_kinds_of_addresses(address: str, kind: str) -> None:
    assert kind_of(ip_address(address)) == kind


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0/0",
        "::/0",
        "8.8.8.0/24",
        "10.0.0.0/7",
        "224.0.0.0/4",
        "0.0.0.0/8",
        "10.0.0.1/8",
        "a",
        "",
        "::/128",
    ],
)
def test_a_network_that_is_not_people_s_own_cannot_be_allowed(text: str) -> None:
    with pytest.raises(BadInput) as error:
        network_of(text)
    assert error.value.fix


@pytest.mark.parametrize(
    "text",
    ["10.0.0.0/8", "10.1.2.3", "127.0.0.1/32", "169.254.0.0/16", "fd00::/8", "::1/128", "100.64.0.0/10"],
)
def test_a_private_network_can_be_allowed(text: str) -> None:
    network = network_of(text)
    assert Outgoing(networks=(network,)).refusal(network[0], encrypted=True) == ""
    assert isinstance(network, IPv4Network | IPv6Network)


def test_an_address_with_the_name_of_its_interface() -> None:
    assert address_of("fe80::1%eth0") == IPv6Address("fe80::1")
    with pytest.raises(BadInput, match="is no address"):
        address_of("localhost")
