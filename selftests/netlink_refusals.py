#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
Asks over netlink for what mlbctl would not ask for, and what it cannot know.

    netlink_refusals.py SPEC

In a namespace that has nothing yet. Each request has to be refused, with the
words and the errno that are told here, or done where there are none. Prints TAP
lines without numbers.
"""
import errno
import sys

from no_memory import (CLIENT, ENTRY, PEER, PLAIN, SELF, SERVICE, TUPLE,
                       Requests)

V4, V6 = SERVICE["addr"], "2001:db8:9::1"
FOREIGN = {**ENTRY, "client": {**CLIENT, "saddr": "2001:db8::1"}}
POOL = {"addr": V4, "port": 80}
PREFIX = {"addr": "10.1.0.0", "len": 16, "group": 5}


def but(values, **others):
    """The same with others; those that are None are left out."""
    return {k: v for k, v in {**values, **others}.items() if v is not None}


# Request, errno, what it says.
STORY = [
    ("key-set", {"key": b"short"}, errno.EINVAL, "16 to 64 bytes"),
    ("node-probe", {"id": 2}, errno.ENOENT, "no such node"),
    ("key-set", {"key": b"0123456789abcdef"}, 0, ""),
    *[("node-add", but(PEER, addr=addr), errno.EINVAL, text) for addr, text in (
        ("0.0.0.0", "unspecified"), ("::", "unspecified"),
        ("224.0.0.1", "multicast"), ("ff02::1", "multicast"),
        ("127.0.0.1", "loopback"), ("::1", "loopback"),
        ("255.255.255.255", "broadcast"), ("fe80::1", "link-local"),
        (b"12345", "4 or 16 bytes"),
        (bytes(10) + b"\xff\xff\x0a\x09\0\1", "mapped"))],
    ("node-add", but(SELF, state=3), errno.EINVAL, "self node cannot be dead"),
    ("node-add", SELF, 0, ""),
    ("node-add", PEER, 0, ""),
    ("node-add", PLAIN, 0, ""),
    ("node-add", {"id": 9, "addr": "10.3.0.9", "state": 3}, 0, ""),
    ("node-set", {"id": 1, "state": 3}, errno.EINVAL, "use maintenance"),
    ("node-probe", {"id": 1}, errno.EINVAL, "this host"),
    ("node-probe", {"id": 4}, errno.EOPNOTSUPP, "runs no mlb"),
    ("service-add", but(SERVICE, addr=PEER["addr"]), errno.EADDRINUSE,
     "the address is a node's"),
    ("service-add", SERVICE, 0, ""),
    ("service-set", [*SERVICE.items(), ("node", 2), ("node", 2)],
     errno.EINVAL, "a node twice"),
    ("node-add", {"id": 5, "addr": V4}, errno.EADDRINUSE, "is a service's"),
    ("config-set", {"alive-interval": 5}, errno.ERANGE, "10 to 10000"),
    ("owner-add", {"entry": ENTRY, "replace": True, "announce": True},
     errno.EINVAL, "replaces nothing"),
    ("owner-add", {"entry": but(ENTRY, node=None)}, errno.EINVAL,
     "node is missing"),
    ("owner-add", {"entry": but(ENTRY, node=9)}, errno.EINVAL, "is dead"),
    ("owner-add", {"entry": but(ENTRY, cpu=70000)}, errno.ERANGE,
     "out of range"),
    ("owner-add", {"entry": but(ENTRY, age=1)}, errno.EINVAL,
     "only answers have"),
    ("owner-add", {"entry": FOREIGN}, errno.EINVAL, "two families"),
    ("owner-add", {"entry": but(ENTRY, client=but(CLIENT, key=None))},
     errno.EINVAL, "addresses, ports and a key"),
    ("owner-add", {"entry": but(ENTRY, client=but(CLIENT, saddr=b"123"))},
     errno.EINVAL, "4 or 16 bytes"),
    ("owner-end", {"entry": ENTRY}, errno.EINVAL, "by its token alone"),
    ("owner-end", {"entry": {"token": 0}}, errno.EINVAL, "missing or 0"),
    ("explain", but(TUPLE, saddr="2001:db8::1"), errno.EINVAL,
     "two families"),
    ("pools-set", {"prefix": but(PREFIX, len=33)}, errno.EINVAL, "32 bits"),
    ("pools-set", {"prefix": but(PREFIX, addr="10.1.0.1")}, errno.EINVAL,
     "behind its length"),
    ("pools-set", {"prefix": but(PREFIX, addr=None)}, errno.EINVAL,
     "needs an address"),
    ("pools-set", {"prefix": but(PREFIX, addr=b"1")}, errno.EINVAL,
     "4 or 16 bytes"),
    ("pools-set", {"pool": but(POOL, port=None)}, errno.EINVAL,
     "service is missing"),
    ("pools-set", {"pool": but(POOL, port=81)}, errno.ENOENT,
     "does not exist"),
    ("pools-set", {"pool": but(POOL, group=5)}, errno.EINVAL,
     "without prefixes"),
    ("pools-set", {"pool": but(POOL, node=77)}, errno.EINVAL,
     "does not exist"),
    ("pools-set", {"pool": [*POOL.items(), ("node", 2), ("node", 2)]},
     errno.EINVAL, "a node twice"),
    ("flow-get dump", {"daddr": V4, "dport": 80}, 0, ""),
    ("flow-get dump", {"daddr": b"1", "dport": 80}, errno.EINVAL,
     "4 or 16 bytes"),
    ("service-add", {"addr": V6, "port": 80, "node": 2}, 0, ""),
    ("node-del", {"id": 2}, errno.EBUSY, "names the node"),
]


def main():
    family = Requests(sys.argv[1])
    failed = 0
    for name, values, want, text in STORY:
        code, _ = family.once(name, values)
        good = code == want and text in family.told
        failed += not good
        print(f"{'ok' if good else 'not ok'} - {name}: "
              f"{errno.errorcode.get(code, code)} {family.told}"
              f"{'' if good else f', not {want} {text}'}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
