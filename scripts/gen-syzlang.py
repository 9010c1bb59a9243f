#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Print the netlink spec's requests as syzkaller descriptions.

They go to sys/linux/ of a syzkaller tree as socket_netlink_generic_mlb.txt.
"""
import sys
import yaml

INTS = {"u8": "int8", "u16": "int16", "u32": "int32", "u64": "int64"}

with open(sys.argv[1], encoding="ascii") as file:
    spec = yaml.safe_load(file)
definitions = {d["name"]: d for d in spec["definitions"]}
sets = {s["name"]: s["attributes"] for s in spec["attribute-sets"]}
enums = {}


def const(*words):
    return "_".join(("mlb",) + words).replace("-", "_").upper()


def number(value):
    return value if isinstance(value, int) else const(value)


def content(attr):
    """What is in an attribute, in syzkaller's terms."""
    checks = attr.get("checks", {})
    if "enum" in attr:
        name = attr["enum"]
        entries = [e["name"] if isinstance(e, dict) else e
                   for e in definitions[name]["entries"]]
        enums[name] = [const(name, e) for e in entries]
        return f"flags[mlb_{name.replace('-', '_')}, int32]"
    if attr["type"] in INTS:
        kind = INTS[attr["type"]]
        if attr["name"] in ("port", "sport", "dport"):
            return "sock_port"
        if "max" in checks:
            return (f"{kind}[{number(checks.get('min', 0))}:"
                    f"{number(checks['max'])}]")
        return kind
    if attr["type"] == "flag":
        return "void"
    if "addr" in attr["name"]:
        return "mlb_address"
    if "exact-len" in checks:
        return f"array[int8, {number(checks['exact-len'])}]"
    return "array[int8]"


def line(group, attr):
    name = const("a", group, attr["name"])
    if attr["type"] == "nest":
        inside = attr["nested-attributes"].replace("-", "_")
        return f"\t{name}\tnlnest[{name}, array[mlb_{inside}]]"
    return f"\t{name}\tnlattr[{name}, {content(attr)}]"


def union(name, group, names):
    wanted = [a for a in sets[group] if names is None or a["name"] in names]
    body = "\n".join(line(group, a) for a in wanted)
    return f"{name} [\n{body}\n] [varlen]\n"


calls, unions, nested = [], [], set()
for op in spec["operations"]["list"]:
    names = set()
    for how in ("do", "dump"):
        names |= set(op.get(how, {}).get("request", {}).get("attributes", []))
    if "do" not in op and "dump" not in op:
        continue
    group = op["attribute-set"]
    command = const("cmd", op["name"])
    policy = "nl_generic_attr"
    if names:
        policy = f"mlb_{op['name'].replace('-', '_')}_request"
        unions.append(union(policy, group, names))
        nested |= {a["nested-attributes"] for a in sets[group]
                   if a["name"] in names and a["type"] == "nest"}
    calls.append(f"sendmsg${command}(fd sock_nl_generic, "
                 f"msg ptr[in, msghdr_mlb[{command}, {policy}]], "
                 "f flags[send_flags])")
done = set()
while nested - done:
    for group in sorted(nested - done):
        unions.append(union("mlb_" + group.replace("-", "_"), group, None))
        nested |= {a["nested-attributes"] for a in sets[group]
                   if a["type"] == "nest"}
        done.add(group)

print("# Do not edit: generated from include/netlink/mlb.yaml.\n")
for header in ("linux/net.h", "uapi/linux/netlink.h",
               "uapi/linux/genetlink.h", "uapi/linux/mlb.h"):
    print(f"include <{header}>")
print("""
resource genl_mlb_family_id[int16]

type msghdr_mlb[CMD, POLICY] msghdr_netlink[netlink_msg_t[genl_mlb_family_id, genlmsghdr_t[CMD], POLICY]]

syz_genetlink_get_family_id$mlb(name ptr[in, string["mlb"]], fd sock_nl_generic) genl_mlb_family_id
""")
print("\n".join(calls) + "\n")
print("\n".join(unions))
print("mlb_address [\n\tipv4\tipv4_addr\n\tipv6\tipv6_addr\n] [varlen]\n")
for name, values in sorted(enums.items()):
    print(f"mlb_{name.replace('-', '_')} = {', '.join(values)}")
