#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Report which lines of the module were reached.

    coverage.py [--min PERCENT] [--update] LINES DIR REASONS

LINES is what gcov --json-format --stdout said. Prints a table and writes
DIR/regions: each run of lines of one function that nothing reached. REASONS is
a file with a reason for each of them; --update writes it anew and keeps the
reasons. A region is known by its file, its function and its first line.
"""
import argparse
import collections
import json
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# What is no part of the module that users run.
LEFT_OUT = re.compile(r"kmod/(selftest|compat/)")
ROW = re.compile(r"\| `(.*?)` \| `(.*?)` \| (\d+) \| `(.*)` \| (.*) \|$")
OPEN = "?"
# A region with such a reason is kept though this run reached it.
RARE = "Rare: "

Region = collections.namedtuple("Region", "file function text first lines")


def source(name):
    """The file's name in the project; None for others, as the kernel's."""
    found = re.search(r"(?:^|/)((?:kmod|include)/.*)$", name)
    if not found or LEFT_OUT.match(found[1]):
        return None
    return found[1] if os.path.exists(os.path.join(ROOT, found[1])) else None


def read_counts(path):
    """{file: {line: [count, function]}}; inlined copies are added up."""
    counts = collections.defaultdict(dict)
    with open(path) as lines:
        for document in filter(str.strip, lines):
            for file in json.loads(document)["files"]:
                name = source(file["file"])
                if not name:
                    continue
                for line in file["lines"]:
                    seen = counts[name].setdefault(
                        line["line_number"], [0, line.get("function_name", "")])
                    seen[0] += line["count"]
    return counts


def find_regions(counts):
    regions = []
    for name in sorted(counts):
        with open(os.path.join(ROOT, name)) as file:
            text = [line.strip() for line in file]
        run = []
        function = ""
        for number in sorted(counts[name]) + [None]:
            count, named = counts[name].get(number, (1, "-"))
            # gcov names none for what was inlined everywhere.
            function = re.sub(r"\.(part|isra|constprop|cold).*", "",
                              named or function)
            if run and (count or function != run[0][1]):
                first, where = run[0]
                regions.append(Region(name, where, text[first - 1], first,
                                      [line for line, _ in run]))
                run = []
            if not count:
                run.append((number, function))
    return regions


def read_reasons(path):
    reasons = {}
    if os.path.exists(path):
        with open(path) as file:
            for line in file:
                row = ROW.match(line.rstrip("\n"))
                if row:
                    reasons[row[1], row[2], row[4].replace("\\|", "|")] = row[5]
    return reasons


def show_table(counts, to):
    print(f"{'file':<28} {'lines':>6} {'reached':>8} {'percent':>8}", file=to)
    total = [0, 0]
    for name in sorted(counts):
        lines = len(counts[name])
        hit = sum(1 for count, _ in counts[name].values() if count)
        total[0] += lines
        total[1] += hit
        print(f"{name:<28} {lines:>6} {hit:>8} {100 * hit / lines:>8.1f}",
              file=to)
    percent = 100 * total[1] / max(total[0], 1)
    print(f"{'all':<28} {total[0]:>6} {total[1]:>8} {percent:>8.1f}", file=to)
    return total, percent


def write_reasons(path, regions, reasons, total, percent, machines):
    known = {region[:3] for region in regions}
    rows = [(r.file, r.function, len(r.lines), r.text,
             reasons.get(r[:3], OPEN)) for r in regions]
    rows += [(*key[:2], 0, key[2], why) for key, why in reasons.items()
             if key not in known and why.startswith(RARE)]
    with open(path, "w") as file:
        file.write(f"""# What the selftests do not reach of the module

`scripts/coverage.sh` counted in {machines} virtual machines, most of one selftest:
{total[1]} of {total[0]} lines, {percent:.1f} %. With `-n -u` it writes this file from what
was counted last and keeps the reasons; a region has its first line here. "Rare"
is what not every run reaches.

| file | function | lines | from | why |
|---|---|---|---|---|
""")
        for name, function, lines, text, why in sorted(rows):
            text = text.replace("|", "\\|")
            file.write(f"| `{name}` | `{function}` | {lines} | `{text}` | {why} |\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--min", type=float, default=0)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("lines")
    parser.add_argument("dir")
    parser.add_argument("reasons")
    args = parser.parse_args()

    counts = read_counts(args.lines)
    if not counts:
        sys.exit("coverage.py: nothing was counted")
    regions = find_regions(counts)
    with open(os.path.join(args.dir, "report"), "w") as file:
        total, percent = show_table(counts, file)
    show_table(counts, sys.stdout)

    reasons = read_reasons(args.reasons)
    if args.update:
        write_reasons(args.reasons, regions, reasons, total, percent,
                      len(os.listdir(os.path.join(args.dir, "data"))))
    unsaid = 0
    with open(os.path.join(args.dir, "regions"), "w") as file:
        for region in regions:
            why = reasons.get(region[:3], OPEN)
            unsaid += why == OPEN
            print(f"{region.file}:{region.first}: {region.function}: "
                  f"{len(region.lines)}: {region.text}: {why}", file=file)
    print(f"{len(regions)} regions are not reached, {unsaid} of them without "
          f"a reason: {args.dir}/regions")
    return percent < args.min


if __name__ == "__main__":
    sys.exit(main())
