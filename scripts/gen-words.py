#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Print the words of the netlink spec's enums as C arrays that end with NULL.

NAME_words: what JSON and options call each value
reason_texts: what a reason means, for people
"""
import sys
import yaml

spec = yaml.safe_load(open(sys.argv[1]))
enums = {d["name"]: d["entries"] for d in spec["definitions"]
         if d["type"] == "enum"}


def array(enum, name, text):
    print(f"\nconst char *const {name}[] = {{")
    for entry in enums[enum]:
        const = f"MLB_{enum}_{entry['name']}".replace("-", "_").upper()
        print(f'\t[{const}] = "{text(entry)}",')
    print("\tNULL,\n};")


print("// SPDX-License-Identifier: GPL-2.0")
print("/* Do not edit: generated from include/netlink/mlb.yaml. */")
print('#include "text.h"')
for enum in ["encap", "verdict", "rule", "reason"]:
    array(enum, f"{enum}_words", lambda entry: entry["name"])
array("reason", "reason_texts", lambda entry: entry["doc"])
