#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Print the counters of the netlink spec as an X-macro list.

kernel: MLB_COUNTER(NAME), to count them in an enum of their own
user:   MLB_COUNTER(ATTRIBUTE, "group", "name", "meaning")
"""
import sys
import yaml

spec = yaml.safe_load(open(sys.argv[1]))
stats = next(s for s in spec["attribute-sets"] if s["name"] == "stats")

print("/* SPDX-License-Identifier: GPL-2.0 */")
print("/* Do not edit: generated from include/netlink/mlb.yaml. */")
for attr in stats["attributes"]:
    if attr["type"] == "pad":
        continue
    const = attr["name"].replace("-", "_").upper()
    group, name = attr["name"].split("-", 1)
    if sys.argv[2] == "kernel":
        print(f"MLB_COUNTER({const})")
    else:
        print(f'MLB_COUNTER(MLB_A_STATS_{const}, "{group}", "{name}",')
        print(f'\t    "{attr["doc"]}")')
