#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
Sends a generic netlink family what its spec forbids, and what it just allows.

    netlink_fuzz.py SPEC SECONDS SEED

First each attribute of each request by itself: absent, empty, too short, too
long, twice, of another type, at and around its limits, nested far too deep; and
messages that are cut off anywhere. Then for SECONDS messages of any attributes
with any content, and dumps during which others change what is dumped. Every
request has to be answered, once, and every refusal says why. Ends with a line
of counts, and with status 1 when a rule was broken.
"""
import collections
import errno
import os
import random
import select
import socket
import struct
import sys
import time

import yaml

NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 0x1, 0x4, 0x300
NLM_F_ACK_TLVS = 0x200
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLA_F_NESTED, NLA_F_NET_BYTEORDER = 0x8000, 0x4000
NETLINK_GENERIC = 16
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID = 16, 3, 1
CTRL_ATTR_FAMILY_NAME = 2
SOL_NETLINK, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 270, 10, 11
WIDTH = {"u8": 1, "u16": 2, "u32": 4, "u64": 8}
# What netlink itself says with no more words, of a command that there is not or
# when it has no memory left.
SPEECHLESS = {errno.ENOMEM, errno.ENOBUFS, errno.EINTR, errno.EOPNOTSUPP}


def attribute(kind, payload):
    length = 4 + len(payload)
    return struct.pack("=HH", length & 0xffff, kind) + payload + \
        bytes(-length % 4)


class Attr:
    """One attribute of a set in the spec."""

    def __init__(self, spec, family, kind):
        self.name = spec["name"]
        self.kind = kind
        self.type = spec["type"]
        self.nested = spec.get("nested-attributes")
        checks = spec.get("checks", {})
        self.width = WIDTH.get(self.type, 0)
        top = (1 << 8 * self.width) - 1
        self.limits = {0, 1, top, top >> 1, (top >> 1) + 1}
        for check in ("min", "max"):
            if check in checks:
                limit = family.number(checks[check])
                self.limits |= {limit - 1, limit, limit + 1}
        if "enum" in spec:
            n = len(family.definitions[spec["enum"]]["entries"])
            self.limits |= {n - 1, n}
        self.lengths = {0, 1, 3, 4, 5, 15, 16, 17, 63, 64, 65, 4000}
        if "exact-len" in checks:
            exact = family.number(checks["exact-len"])
            self.lengths |= {exact - 1, exact, exact + 1}

    def word(self, value):
        value &= (1 << 8 * self.width) - 1
        return value.to_bytes(self.width, sys.byteorder)

    def plausible(self, family):
        """What makes sense, or might."""
        if self.nested:
            return family.fields(self.nested)
        if self.type == "flag":
            return b""
        if self.width:
            return self.word(random.choice((1, 2, 3, 4, 80, 8080)))
        if "addr" in self.name:
            return random.choice((socket.inet_aton("10.9.0.1"),
                                  socket.inet_aton("10.3.0.9"),
                                  socket.inet_pton(socket.AF_INET6,
                                                   "2001:db8:9::1")))
        return random.randbytes(random.choice((8, 16, 32)))

    def strange(self, family):
        """Every payload that may be looked at wrongly."""
        yield b""
        if self.width:
            for value in sorted(self.limits):
                yield self.word(value)
            yield bytes(self.width - 1)
            yield bytes(self.width + 1)
            yield bytes(65000)
        elif self.nested:
            inside = family.fields(self.nested)
            for cut in range(1, min(len(inside), 64)):
                yield inside[:cut]
            deep = b""
            for _ in range(2000):
                deep = attribute(1 | NLA_F_NESTED, deep)
            yield deep
            yield attribute(0, b"") * 8
            yield attribute(0x3fff, b"1234")
            yield struct.pack("=HH", 3, 1)
            yield struct.pack("=HH", 0xffff, 1)
            for one in family.sets[self.nested].values():
                for payload in one.strange(family):
                    yield attribute(one.kind, payload)
                    yield inside + attribute(one.kind, payload)
        else:
            for length in sorted(self.lengths):
                yield random.randbytes(length)


class Family:
    """The spec, and the kernel that should follow it."""

    def __init__(self, path):
        with open(path, encoding="ascii") as file:
            spec = yaml.safe_load(file)
        self.definitions = {d["name"]: d for d in spec["definitions"]}
        self.sets = {}
        for group in spec["attribute-sets"]:
            self.sets[group["name"]] = {}
            for kind, one in enumerate(group["attributes"], 1):
                self.sets[group["name"]][one["name"]] = Attr(one, self, kind)
        self.requests = []
        for number, op in enumerate(spec["operations"]["list"], 1):
            for how in ("do", "dump"):
                if how in op:
                    names = op[how].get("request", {}).get("attributes", [])
                    attrs = self.sets[op["attribute-set"]]
                    self.requests.append((op["name"], number, how == "dump",
                                          [attrs[n] for n in names]))
        self.last = len(spec["operations"]["list"])
        self.counts = collections.Counter()
        self.broken = []
        self.sock = self.connect()
        self.sequence = 0
        self.id = GENL_ID_CTRL
        name = spec["name"].encode() + b"\0"
        self.id = self.resolve(attribute(CTRL_ATTR_FAMILY_NAME, name))

    def number(self, value):
        if isinstance(value, int):
            return value
        return self.definitions[value]["value"]

    def connect(self):
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                             NETLINK_GENERIC)
        sock.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        return sock

    def resolve(self, name):
        self.send(CTRL_CMD_GETFAMILY, name, NLM_F_REQUEST)
        data = self.sock.recv(65536)
        pos = 20
        while pos < len(data):
            length, kind = struct.unpack_from("=HH", data, pos)
            if kind == CTRL_ATTR_FAMILY_ID:
                return struct.unpack_from("=H", data, pos + 4)[0]
            pos += length + -length % 4
        sys.exit("the kernel does not have the family")

    def fields(self, name):
        """All attributes of a set, as they could be."""
        return b"".join(attribute(a.kind, a.plausible(self))
                        for a in self.sets[name].values())

    def send(self, command, payload, flags, length=None):
        self.sequence += 1
        head = struct.pack("=BBH", command & 0xff, 1, 0)
        size = 16 + len(head) + len(payload)
        self.sock.send(struct.pack("=IHHII", size if length is None else length,
                                   self.id, flags, self.sequence, 0) +
                       head + payload)

    def complain(self, what, why):
        self.counts["broken"] += 1
        if len(self.broken) < 20:
            self.broken.append(f"{what}: {why}")

    def judge(self, what, good, header, data):
        """How a request ended; both kinds of end begin with an error."""
        code = -struct.unpack_from("=i", data, 16)[0]
        told = header & NLM_F_ACK_TLVS
        self.counts[errno.errorcode.get(code, str(code)) if code else good] += 1
        if code and not told and code not in SPEECHLESS:
            self.complain(what, f"{os.strerror(code)}, without a reason")

    def answer(self, what):
        """Reads until the request has been answered."""
        while True:
            if not select.select([self.sock], [], [], 60)[0]:
                self.complain(what, "no answer within 60 s")
                return
            try:
                data = self.sock.recv(1 << 20)
            except OSError as error:
                self.complain(what, error)
                return
            pos = 0
            while pos + 16 <= len(data):
                size, kind, flags, seq, _ = \
                    struct.unpack_from("=IHHII", data, pos)
                if seq != self.sequence:
                    self.complain(what, "the one before is answered again")
                elif kind in (NLMSG_ERROR, NLMSG_DONE):
                    good = "ok" if kind == NLMSG_ERROR else "dumps"
                    self.judge(what, good, flags, data[pos:pos + size])
                    return
                pos += size + -size % 4

    def ask(self, what, command, payload, dump=False, flags=0, length=None):
        self.counts["requests"] += 1
        flags |= NLM_F_REQUEST | (NLM_F_DUMP if dump else NLM_F_ACK)
        if len(payload) > 200000:
            payload = payload[:200000]
        self.send(command, payload, flags, length)
        self.answer(what)

    def one_by_one(self):
        for name, command, dump, attrs in self.requests:
            whole = [attribute(a.kind, a.plausible(self)) for a in attrs]
            self.ask(name, command, b"".join(whole), dump)
            self.ask(name, command, b"", dump)
            self.ask(name, command, attribute(0x3fff, b"1234"), dump)
            self.ask(name, command, attribute(0, b""), dump)
            self.ask(name, command, b"\xff" * 7, dump)
            self.ask(name, command, struct.pack("=HH", 0xffff, 1), dump)
            for i, attr in enumerate(attrs):
                what = f"{name} {attr.name}"
                rest = b"".join(whole[:i] + whole[i + 1:])
                self.ask(what, command, rest, dump)
                self.ask(what, command, rest + 2 * whole[i], dump)
                for bits in (NLA_F_NESTED, NLA_F_NET_BYTEORDER):
                    self.ask(what, command, rest + attribute(
                        attr.kind | bits, attr.plausible(self)), dump)
                for payload in attr.strange(self):
                    self.ask(what, command,
                             rest + attribute(attr.kind, payload), dump)
        for command in (0, self.last + 1, 255):
            self.ask("no command", command, b"")

    def cut_off(self):
        """Netlink itself drops what is shorter than it says."""
        for name, command, dump, attrs in self.requests:
            whole = b"".join(attribute(a.kind, a.plausible(self))
                             for a in attrs)
            for cut in range(0, len(whole), 3):
                self.ask(name, command, whole[:cut], dump)

    def any_payload(self, attr, depth=0):
        if attr.nested and depth < 3 and random.random() < 0.9:
            inside = list(self.sets[attr.nested].values())
            return b"".join(
                attribute(a.kind, self.any_payload(a, depth + 1))
                for a in random.choices(inside, k=random.randrange(9)))
        if random.random() < 0.7:
            return attr.plausible(self)
        if attr.width:
            return attr.word(random.choice(sorted(attr.limits)))
        return random.randbytes(random.choice(sorted(attr.lengths)))

    def at_random(self, until):
        while time.monotonic() < until:
            name, command, dump, attrs = random.choice(self.requests)
            payload = b"".join(
                attribute(a.kind, self.any_payload(a))
                for a in random.choices(attrs, k=random.randrange(9))) \
                if attrs else b""
            if payload and random.random() < 0.1:
                payload = bytearray(payload)
                payload[random.randrange(len(payload))] ^= \
                    1 << random.randrange(8)
                payload = bytes(payload)
            self.ask(name, command, payload, dump,
                     random.choice((0, 0, 0, 0x100, 0x200, 0x400, 0x800)))

    def dumps_under_change(self, until):
        """A dump that is read a little at a time while its table changes."""
        dumps = [r for r in self.requests if r[2]]
        changes = [r for r in self.requests if not r[2]]
        while time.monotonic() < until:
            name, command, _, attrs = random.choice(dumps)
            slow = self.connect()
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            head = struct.pack("=BBH", command, 1, 0)
            payload = b"".join(attribute(a.kind, a.plausible(self))
                               for a in attrs if random.random() < 0.3)
            slow.send(struct.pack("=IHHII", 20 + len(payload), self.id,
                                  NLM_F_REQUEST | NLM_F_DUMP, 7, 0) +
                      head + payload)
            for _ in range(random.randrange(20)):
                op, number, _, them = random.choice(changes)
                self.ask(op, number, b"".join(
                    attribute(a.kind, a.plausible(self)) for a in them))
                if select.select([slow], [], [], 0)[0]:
                    slow.recv(65536)
            # With and without having read it to its end.
            slow.close()
            self.counts["dumps left"] += 1


def main():
    path, seconds, seed = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    random.seed(seed)
    family = Family(path)
    family.one_by_one()
    family.cut_off()
    print(f"one by one: {family.counts['requests']} requests", flush=True)
    family.at_random(time.monotonic() + seconds * 2 / 3)
    family.dumps_under_change(time.monotonic() + seconds / 3)
    for line in family.broken:
        print(f"broken: {line}")
    print(" ".join(f"{k.replace(' ', '-')}={v}"
                   for k, v in sorted(family.counts.items())))
    sys.exit(1 if family.broken else 0)


if __name__ == "__main__":
    main()
