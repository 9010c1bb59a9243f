#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
Has each allocation of each request fail, one after the other.

    no_memory.py requests SPEC
    no_memory.py netns
    no_memory.py module FILE

requests: of the netlink family, in a namespace that has nothing yet. What the
kernel refuses must have had no effect, and what it says is done must be; when
nothing fails any more the same request is done. netns: of a new namespace,
where the module's part comes last. module: while the file is loaded, which is
there afterwards. Ends with a line of counts, and with status 1 when a rule was
broken. Needs a kernel with fault injection.
"""
import ctypes
import errno
import os
import socket
import struct
import sys

from netlink_fuzz import (CTRL_ATTR_FAMILY_NAME, CTRL_CMD_GETFAMILY,
                          GENL_ID_CTRL, NLA_F_NESTED, NLM_F_ACK,
                          NLM_F_ACK_TLVS, NLM_F_DUMP, NLM_F_REQUEST,
                          NLMSG_DONE, NLMSG_ERROR, SOL_NETLINK, Family,
                          attribute)

NETLINK_ADD_MEMBERSHIP = 1
CLONE_NEWNET = 0x40000000
SYS_FINIT_MODULE = 313
CTRL_ATTR_MCAST_GROUPS, CTRL_ATTR_MCAST_GRP_ID = 7, 2
NEVER = 1000000
# What the kernel makes of no memory: there is no file for a socket, or no route.
SHORT = {errno.ENOMEM, errno.ENOBUFS, errno.ENFILE, errno.EHOSTUNREACH}

SELF = {"id": 1, "addr": "10.3.0.1", "self": True}
PEER = {"id": 2, "addr": "10.3.0.2"}
PLAIN = {"id": 4, "addr": "10.3.0.4", "encap": 1}
SERVICE = {"addr": "10.9.0.1", "port": 80}
SERVICE6 = {"addr": "2001:db8:9::1", "port": 80}
CLIENT = {"saddr": "10.1.1.2", "daddr": "10.9.0.1", "sport": 999, "dport": 80,
          "key": b"\1\2\3\4\5\6\7\x08"}
ENTRY = {"token": 77, "node": 2, "cpu": 1}
TUPLE = {k: CLIENT[k] for k in ("saddr", "daddr", "sport", "dport")}
POOLS = [("prefix", {"addr": "10.1.0.0", "len": 16, "group": 5}),
         ("pool", [("addr", "10.9.0.1"), ("port", 80), ("group", 5),
                   ("node", 2), ("node", 1)])]

# Request, what takes it back, if it changes what is there.
STORY = (
    ("key-set", {"key": b"0123456789abcdef"}, None),
    # The first node comes with the first pool.
    ("node-add", PEER, ("node-del", {"id": 2})),
    ("node-del", {"id": 2}, ("node-add", PEER)),
    ("node-add", SELF, ("node-del", {"id": 1})),
    ("config-set", {"port": 7000, "fastclose": 1}, None),
    ("config-set", {"alive-interval": 20}, None),
    ("node-add", PEER, ("node-del", {"id": 2})),
    ("node-add", PLAIN, ("node-del", {"id": 4})),
    ("service-add", SERVICE, ("service-del", SERVICE)),
    ("service-add", {**SERVICE6, "scheduler": 1, "node": 2},
     ("service-del", SERVICE6)),
    ("service-set", {**SERVICE, "scheduler": 1, "node": 2}, None),
    ("service-set", {**SERVICE, "all-nodes": True}, None),
    ("pools-set", POOLS, ("pools-set", {})),
    ("node-set", {"id": 2, "weight": 7}, None),
    ("node-set", {"id": 2, "state": 1}, None),
    ("node-set", {"id": 2, "weight": 1, "state": 0, "later": True}, None),
    ("owner-add", {"entry": {**ENTRY, "client": CLIENT}},
     ("owner-del", {"entry": {"token": 77}})),
    ("owner-add", {"entry": {**ENTRY, "client": CLIENT}, "replace": True}, None),
    ("owner-add", {"entry": {**ENTRY, "token": 78, "client": CLIENT},
                   "announce": True}, ("owner-del", {"entry": {"token": 78}})),
    ("owner-end", {"entry": {"token": 79}}, None),
    ("config-get", {}, None),
    ("stats-get", {}, None),
    ("node-get", {"id": 2}, None),
    ("node-get dump", {}, None),
    ("node-probe", {"id": 2}, None),
    ("service-get", SERVICE, None),
    ("service-get dump", {}, None),
    ("owner-get", {"token": 77}, None),
    ("owner-get dump", {}, None),
    ("flow-get dump", {}, None),
    ("pools-get dump", {}, None),
    ("explain", TUPLE, None),
    ("explain", {**TUPLE, "syn": True, "token": 77}, None),
    ("node-set", {"id": 2, "state": 3}, None),
    ("owner-flush", {}, None),
    ("pools-set", {}, None),
    ("service-del", SERVICE6, ("service-add", SERVICE6)),
    ("service-del", SERVICE, ("service-add", SERVICE)),
    ("node-del", {"id": 2}, ("node-add", PEER)),
    ("node-del", {"id": 1}, ("node-add", SELF)),
)


class Failing:
    """Fails the Nth allocation of what is done inside; says if it came to it."""

    def __init__(self):
        self.file = os.open("/proc/self/fail-nth", os.O_RDWR)

    def begin(self, nth):
        os.pwrite(self.file, b"%d" % nth, 0)

    def end(self):
        left = int(os.pread(self.file, 16, 0))
        os.pwrite(self.file, b"0", 0)
        return left


class Requests(Family):
    """The netlink family, asked while memory is short."""

    def __init__(self, path):
        super().__init__(path)
        self.ops = {}
        for name, number, dump, _ in self.requests:
            self.ops[name + (" dump" if dump else "")] = (number, dump)
        self.groups = self.op_groups(path)
        self.failing = None
        self.failures = 0
        self.told = ""
        self.listener = self.connect()
        for group in self.multicast_groups():
            self.listener.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)

    @staticmethod
    def op_groups(path):
        import yaml
        with open(path, encoding="ascii") as file:
            ops = yaml.safe_load(file)["operations"]["list"]
        return {op["name"]: op.get("attribute-set") for op in ops}

    def multicast_groups(self):
        known, self.id = self.id, GENL_ID_CTRL
        self.send(CTRL_CMD_GETFAMILY, attribute(CTRL_ATTR_FAMILY_NAME,
                                                b"mlb\0"), NLM_F_REQUEST)
        self.id = known
        data = self.sock.recv(65536)
        for groups in children(data, 20, CTRL_ATTR_MCAST_GROUPS):
            for group in children(groups, 0, None):
                for number in children(group, 0, CTRL_ATTR_MCAST_GRP_ID):
                    yield struct.unpack("=I", number)[0]

    def encode(self, group, values):
        payload = b""
        for name, value in values.items() if isinstance(values, dict) else values:
            attr = self.sets[group][name]
            kind = attr.kind
            if attr.nested:
                value = self.encode(attr.nested, value)
                kind |= NLA_F_NESTED
            elif value is True:
                value = b""
            elif isinstance(value, int):
                value = attr.word(value)
            elif isinstance(value, str):
                ipv6 = ":" in value
                value = socket.inet_pton(
                    socket.AF_INET6 if ipv6 else socket.AF_INET, value)
            payload += attribute(kind, value)
        return payload

    def once(self, name, values, nth=0):
        """Returns 0 or an errno, None when it was not told; what is left."""
        number, dump = self.ops[name]
        sock = self.connect()
        # Dumps go on while they are read.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO,
                        struct.pack("=qq", 60, 0))
        self.sequence += 1
        payload = struct.pack("=BBH", number, 1, 0) + \
            self.encode(self.groups[name.split()[0]], values)
        flags = NLM_F_REQUEST | (NLM_F_DUMP if dump else NLM_F_ACK)
        message = struct.pack("=IHHII", 16 + len(payload), self.id, flags,
                              self.sequence, 0) + payload
        if nth:
            self.failing.begin(nth)
        try:
            sock.send(message)
            code = self.ending(sock)
        except BlockingIOError:
            self.complain(name, "no answer")
            code = None
        except OSError:
            code = None
        left = self.failing.end() if nth else 0
        sock.close()
        return code, left

    @staticmethod
    def words(message):
        """What the kernel says besides an errno."""
        if struct.unpack_from("=H", message, 6)[0] & NLM_F_ACK_TLVS:
            # NLMSGERR_ATTR_MSG, behind the header of the request
            for text in children(message, 36, 1):
                return text.rstrip(b"\0").decode()
        return ""

    def ending(self, sock):
        while True:
            data = sock.recv(1 << 16)
            pos = 0
            while pos + 16 <= len(data):
                size, kind = struct.unpack_from("=IH", data, pos)
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    self.told = self.words(data[pos:pos + size])
                    return -struct.unpack_from("=i", data, pos + 16)[0]
                pos += size + -size % 4

    def with_failures(self, name, values, undo):
        self.failing = self.failing or Failing()
        nth = 0
        while True:
            nth += 1
            code, left = self.once(name, values, nth)
            if left:
                break
            self.failures += 1
            if code and code not in SHORT:
                self.complain(name, f"{nth}: {os.strerror(code)}")
            if undo:
                undone, _ = self.once(*undo)
                if code == 0 and undone:
                    self.complain(name, f"{nth}: is not done")
                if code and not undone and undo[1]:
                    self.complain(name, f"{nth}: is done, though refused")
        if code:
            self.complain(name, f"{os.strerror(code)}, though nothing failed")
        print(f"{name}: {nth - 1} allocations")


def children(data, pos, kind):
    """The payloads of attributes."""
    while pos + 4 <= len(data):
        length, got = struct.unpack_from("=HH", data, pos)
        if kind in (None, got & 0x3fff):
            yield data[pos + 4:pos + length]
        pos += length + -length % 4


LIBC = ctypes.CDLL(None, use_errno=True)


def last_ones(action, undo, last):
    """Has the last allocations of an action fail; returns how often."""
    failing = Failing()
    failing.begin(NEVER)
    action()
    total = NEVER - failing.end()
    undo()
    refused = 0
    for nth in range(max(total - last, 1), total + 1):
        failing.begin(nth)
        done = action() == 0
        failing.end()
        if done:
            undo()
        else:
            refused += 1
    if action():
        print(f"broken: {os.strerror(ctypes.get_errno())}, though nothing failed")
        sys.exit(1)
    print(f"allocations={total} tried={last} refused={refused}")
    return refused


def main():
    if sys.argv[1] == "netns":
        return last_ones(lambda: LIBC.unshare(CLONE_NEWNET), lambda: None,
                         100) == 0
    if sys.argv[1] == "module":
        file = os.open(sys.argv[2], os.O_RDONLY)
        return last_ones(
            lambda: LIBC.syscall(SYS_FINIT_MODULE, file, b"", 0),
            lambda: LIBC.delete_module(b"mlb", os.O_NONBLOCK), 200) == 0
    family = Requests(sys.argv[2])
    for step in STORY:
        family.with_failures(*step)
    for line in family.broken:
        print(f"broken: {line}")
    print(f"failures={family.failures} broken={family.counts['broken']}")
    return bool(family.broken or not family.failures)


if __name__ == "__main__":
    sys.exit(main())
