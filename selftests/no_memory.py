#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""
Has each allocation of each request fail, one after the other.

    no_memory.py requests SPEC
    no_memory.py netns
    no_memory.py module FILE

requests: of the netlink family, in a namespace that has nothing yet. What all
dumps show must be as before when the kernel refuses, and as after the same
request without a failure when it says that it is done. netns: of a new
namespace, where the module's part comes last. module: while the file is loaded,
which is there afterwards. Each allocation fails alone, and then with those that
follow it. Ends with a line of counts, and with status 1 when a rule was broken.
Needs a kernel with fault injection.

What fails is what comes from slabs. What is made of pages (above 8 KiB, also by
kvmalloc(), whose second way needs a slab, too) would need a kernel with
CONFIG_FAIL_PAGE_ALLOC besides. Memory for each CPU (alloc_percpu) cannot be made
to fail.
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
FAILSLAB = "/sys/kernel/debug/failslab"
# What the kernel makes of no memory: there is no file for a socket, or no route.
SHORT = {errno.ENOMEM, errno.ENOBUFS, errno.ENFILE, errno.EHOSTUNREACH}
# And EINVAL of a device, if there is none for its name.

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

KEY = {"key": b"0123456789abcdef"}
OWNER = ("owner-add", {"entry": {**ENTRY, "client": CLIENT}})
OWNER2 = ("owner-add", {"entry": {**ENTRY, "token": 78, "client": CLIENT},
                        "announce": True})

# Request, and what takes it back, if it changes anything that can be taken back.
STORY = (
    (("key-set", KEY),),
    (("key-set", {"key": b"fedcba9876543210"}), ("key-set", KEY)),
    # The first node comes with the first pool.
    (("node-add", PEER), ("node-del", {"id": 2})),
    (("node-del", {"id": 2}), ("node-add", PEER)),
    (("node-add", SELF), ("node-del", {"id": 1})),
    (("config-set", {"port": 7000, "fastclose": 1}),
     ("config-set", {"port": 6084, "fastclose": 0})),
    (("config-set", {"alive-interval": 20}),
     ("config-set", {"alive-interval": 50})),
    (("node-add", PEER), ("node-del", {"id": 2})),
    (("node-add", PLAIN), ("node-del", {"id": 4})),
    (("service-add", SERVICE), ("service-del", SERVICE)),
    (("service-add", {**SERVICE6, "scheduler": 1, "node": 2}),
     ("service-del", SERVICE6)),
    (("service-set", {**SERVICE, "scheduler": 1, "node": 2}),
     ("service-set", {**SERVICE, "scheduler": 0, "all-nodes": True})),
    (("service-set", {**SERVICE, "all-nodes": True}),
     ("service-set", {**SERVICE, "node": 2})),
    (("pools-set", POOLS), ("pools-set", {})),
    (("node-set", {"id": 2, "weight": 7}), ("node-set", {"id": 2, "weight": 1})),
    (("node-set", {"id": 2, "state": 1}), ("node-set", {"id": 2, "state": 0})),
    (("node-set", {"id": 2, "weight": 1, "state": 0, "later": True}),
     ("node-set", {"id": 2, "weight": 7, "state": 1})),
    (OWNER, ("owner-del", {"entry": {"token": 77}})),
    ((OWNER[0], {**OWNER[1], "replace": True}),),
    (OWNER2, ("owner-del", {"entry": {"token": 78}})),
    (("owner-flush", {}), OWNER, OWNER2),
    (OWNER, ("owner-del", {"entry": {"token": 77}})),
    (("owner-end", {"entry": {"token": 79}}),),
    (("config-get", {}),),
    (("stats-get", {}),),
    (("node-get", {"id": 2}),),
    (("node-get dump", {}),),
    (("node-probe", {"id": 2}),),
    (("service-get", SERVICE),),
    (("service-get dump", {}),),
    (("owner-get", {"token": 77}),),
    (("owner-get dump", {}),),
    (("flow-get dump", {}),),
    (("pools-get dump", {}),),
    (("explain", TUPLE),),
    (("explain", {**TUPLE, "syn": True, "token": 77}),),
    # Its clients are told, once it is.
    (("node-set", {"id": 2, "state": 3}), ("node-set", {"id": 2, "state": 0}),
     OWNER),
    (("pools-set", {}), ("pools-set", POOLS)),
    (("service-del", SERVICE6),
     ("service-add", {**SERVICE6, "scheduler": 1, "node": 2})),
    (("service-del", SERVICE), ("service-add", {**SERVICE, "scheduler": 1})),
    (("node-del", {"id": 2}),
     ("node-add", PEER), ("node-set", {"id": 2, "state": 3})),
    (("node-del", {"id": 1}), ("node-add", SELF)),
)

# What shows all that requests change, but for what changes by itself, and for
# whom to tell of a node's death: without memory for that, it is left out.
STATE = ("config-get", "node-get dump", "service-get dump", "owner-get dump",
         "pools-get dump")
VOLATILE = {"age", "client", "dead", "parked", "rtt", "silent", "suspect",
            "version"}
# The story is not what it was, when fewer requests than this change something.
CHANGING = 20
# So many fail in a row: a large one is asked for again, in another way.
ROWS = (1, 20)


class Failing:
    """Fails the Nth allocation of what is done inside, and some that follow it;
    says if it came to it."""

    def __init__(self):
        self.nth = os.open("/proc/self/fail-nth", os.O_RDWR)
        self.times = os.open(f"{FAILSLAB}/times", os.O_WRONLY)
        self.end()
        self.set(FAILSLAB, "task-filter", b"Y")
        self.set(FAILSLAB, "probability", b"100")
        with open("/proc/self/make-it-fail", "wb") as file:
            file.write(b"1")

    @staticmethod
    def set(what, name, value):
        with open(f"{what}/{name}", "wb") as file:
            file.write(value)

    def begin(self, nth, row):
        nth, row = b"%d" % nth, b"%d" % row
        os.pwrite(self.nth, nth, 0)
        os.write(self.times, row)

    def end(self):
        os.write(self.times, b"0")
        left = int(os.pread(self.nth, 16, 0))
        os.pwrite(self.nth, b"0", 0)
        return left

    def close(self):
        self.set(FAILSLAB, "probability", b"0")
        self.set(FAILSLAB, "task-filter", b"N")
        os.write(self.times, b"-1")


class Requests(Family):
    """The netlink family, asked while memory is short, if what fails is given."""

    def __init__(self, path, failing=None):
        super().__init__(path)
        self.ops = {}
        for name, number, dump, _ in self.requests:
            self.ops[name + (" dump" if dump else "")] = (number, dump)
        self.groups = self.op_groups(path)
        self.failing = failing
        self.failures = 0
        self.changing = 0
        self.told = ""
        self.got = []
        self.room = bytearray(1 << 16)
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

    def decode(self, group, data, pos=0):
        names = {attr.kind: attr for attr in self.sets[group].values()}
        found = []
        while pos + 4 <= len(data):
            length, kind = struct.unpack_from("=HH", data, pos)
            attr = names[kind & 0x3fff]
            value = data[pos + 4:pos + length]
            pos += length + -length % 4
            if attr.name not in VOLATILE:
                found.append((attr.name, self.decode(attr.nested, value)
                              if attr.nested else value))
        return tuple(found)

    def state(self):
        parts = []
        for name in STATE:
            code, _ = self.once(name, {})
            if code:
                self.complain(name, os.strerror(code))
            group = self.groups[name.split()[0]]
            parts.append(sorted(self.decode(group, data) for data in self.got))
        return parts

    def once(self, name, values, nth=0, row=0):
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
            self.failing.begin(nth, row)
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
        self.got = []
        while True:
            # Room made now might have to come from the kernel.
            data = bytes(self.room[:sock.recv_into(self.room)])
            pos = 0
            while pos + 16 <= len(data):
                size, kind = struct.unpack_from("=IH", data, pos)
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    self.told = self.words(data[pos:pos + size])
                    return -struct.unpack_from("=i", data, pos + 16)[0]
                self.got.append(data[pos + 20:pos + size])
                pos += size + -size % 4

    def do_all(self, requests):
        for name, values in requests:
            code, _ = self.once(name, values)
            if code:
                self.complain(name, f"{os.strerror(code)}, though nothing failed")

    def with_failures(self, request, *undo):
        """Refused is as before, done as if nothing had failed; which of both, if
        it was not told."""
        name, values = request
        before = self.state()
        self.do_all([request])
        after = self.state()
        self.do_all(undo)
        if undo and self.state() != before:
            self.complain(name, "is not taken back")
        if not undo:
            before = after
        self.changing += before != after
        counts = [self.in_a_row(name, values, undo, before, after, row)
                  for row in ROWS]
        self.do_all([request] if undo else [])
        print(f"{name}: {counts[0]} allocations")

    def in_a_row(self, name, values, undo, before, after, row):
        nth = 0
        while True:
            nth += 1
            code, left = self.once(name, values, nth, row)
            if left:
                break
            self.failures += 1
            what = f"{nth}, {row} in a row"
            if code and code not in SHORT and \
                    not (code == errno.EINVAL and "mlb0" in self.told):
                self.complain(name, f"{what}: {os.strerror(code)}")
            now = self.state()
            if code == 0 and now != after:
                self.complain(name, f"{what}: is not done")
            elif code and now != before:
                self.complain(name, f"{what}: refused, and not as before")
            elif now not in (before, after):
                self.complain(name, f"{what}: half of it is done")
            if now != before:
                self.do_all(undo)
        if code:
            self.complain(name, f"{os.strerror(code)}, though nothing failed")
        self.do_all(undo if code == 0 else ())
        return nth - 1


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
    failing.begin(NEVER, 0)
    action()
    total = NEVER - failing.end()
    undo()
    refused = 0
    for row in ROWS:
        for nth in range(max(total - last, 1), total + 1):
            failing.begin(nth, row)
            done = action() == 0
            failing.end()
            if done:
                undo()
            else:
                refused += 1
    failing.close()
    if action():
        print(f"broken: {os.strerror(ctypes.get_errno())}, though nothing failed")
        sys.exit(1)
    print(f"allocations={total} tried={len(ROWS) * last} refused={refused}")
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
    family = Requests(sys.argv[2], Failing())
    for step in STORY:
        family.with_failures(*step)
    family.failing.close()
    for line in family.broken:
        print(f"broken: {line}")
    print(f"failures={family.failures} requests that change something: "
          f"{family.changing} broken={family.counts['broken']}")
    return bool(family.broken or not family.failures or
                family.changing < CHANGING)


if __name__ == "__main__":
    sys.exit(main())
