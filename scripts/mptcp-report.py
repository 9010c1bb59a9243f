#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Compare runs of the kernel's MPTCP selftests without mlb and with it.

mptcp-report.py LOGS KERNEL/SCRIPT...     print the report; status 1 if mlb
                                          changes a result, or one of these says
                                          nothing
mptcp-report.py -d LOGS KERNEL/SCRIPT...  print what is to be run again: kernel,
                                          script and, of mptcp_join.sh, its
                                          tests, tabs between

LOGS/KERNEL/SCRIPT.with.0.log and SCRIPT.without.0.log are of the whole script,
those with higher numbers of what was run again.
"""
import math
import os
import pathlib
import re
import sys

TAP = re.compile(r"^(ok|not ok) \d+ - ([^:#]+: )?(.*)$")
MARK = re.compile(r"\[ *(ok|fail|skip) *\]", re.I)
SAID = re.compile(r"^(PASS|FAIL|SKIP): (.*)$|^INFO: (.*): (SKIP)$")
# A part of the selftests is absent, or a tool.
BROKEN = re.compile(r": line \d+: .*(not found|No such file or directory)$")
PLAN = re.compile(r"^1\.\.(\d+)$")
HEAD = re.compile(r"^\d{3} \S")
RANDOM = re.compile(r"\(duration +\d+ms\)|\d+ max \d+|transfer slower.*|id:\d+")
# What mlb must have counted, or the test went past it.
NEEDS = ["steer new-local", "steer socket", "owner learnt"]
SEES = {"mptcp_connect.sh": NEEDS, "pm_netlink.sh": [], "diag.sh": []}
COLUMNS = ["steer new-local", "steer join-local", "owner learnt",
           "owner withdrawn", "steer socket", "steer cookie", "mss clamped",
           "resolve started", "resolve found", "steer unclaimed"]
SILENT = ["alive rx", "alive tx"]   # what idle nodes say to each other
CHANCE = 0.01   # of what is taken for a difference


def result(line):
    """(name, outcome) of a line of TAP, or None."""
    match = TAP.match(line)
    if not match:
        return None
    name = re.sub(r"[ #]*time=\d+ms$", "", match[3])
    outcome = "pass" if match[1] == "ok" else "fail"
    if name.endswith("# SKIP"):
        outcome = "skip"
    elif name.endswith("# IGNORE Flaky"):
        outcome = "fail"    # which the script itself forgives
    return re.sub(r"\s*# .*$", "", name), outcome


def argument(name):
    """What makes mptcp_join.sh run this test alone."""
    return str(int(name[:3])) if HEAD.match(name) else name


def chance(outcome, without, with_mlb):
    """Fisher's exact test: that so many of these outcomes, or more, are with mlb
    when mlb makes no difference."""
    runs, both = len(with_mlb), (without + with_mlb).count(outcome)
    return sum(math.comb(runs, n) * math.comb(len(without), both - n)
               for n in range(with_mlb.count(outcome), min(both, runs) + 1)
               ) / math.comb(len(without) + runs, both)


def marked(lines):
    """(name, outcome) of what speaks no TAP, as the scripts of 6.1: a line with
    marks behind its name, and mptcp_join.sh's go on in the next ones."""
    found = []
    for line in lines:
        marks = [m.lower() for m in MARK.findall(line)]
        said = SAID.match(line)
        if said:
            found.append((said[2] or said[3], [(said[1] or said[4]).lower()]))
        elif HEAD.match(line):
            found.append((line[:40].strip(), marks))
        elif marks and (line[0].isspace() or line.startswith("[")) and found:
            found[-1][1].extend(marks)
        elif marks:
            name = RANDOM.sub("", line[:MARK.search(line).start()])
            found.append((" ".join(name.split()), marks))
    for name, marks in found:
        yield name, ("fail" if "fail" in marks else
                     "skip" if set(marks) == {"skip"} else "pass")


class Run:
    """One run of a script."""

    def __init__(self, path):
        self.results, self.counts, self.errors = {}, {}, []
        self.status, self.seconds, self.release, self.only = None, 0, "?", []
        self.forgiven, planned = False, None
        lines = [line.rstrip("\r") for line in
                 path.read_text(errors="replace").splitlines()]
        for line in lines:
            if line.startswith("@@ "):
                self.note(line[3:])
            elif PLAN.match(line):
                planned = int(PLAN.match(line)[1])
            elif line.startswith("the kernel log:"):
                self.errors.append("faults in the kernel's log")
            elif BROKEN.search(line) and not self.errors:
                self.errors.append(line)
            self.forgiven |= "# IGNORE Flaky" in line
        for name, outcome in (list(filter(None, map(result, lines))) or
                              list(marked(lines))):
            base, n = name, 1
            while name in self.results:
                n += 1
                name = f"{base} ({n})"
            self.results[name] = outcome
        if planned not in (None, len(self.results)):
            self.errors.append(f"{len(self.results)} results of {planned}")

    def note(self, line):
        word, _, rest = line.partition(" ")
        if word == "count":
            name, _, value = rest.rpartition(" ")
            self.counts[name] = int(value)
        elif word == "error":
            self.errors.append(rest)
        elif word == "release":
            self.release = rest
        elif word == "only":
            self.only = rest.split("\t")
        elif word == "vm":
            self.status, self.seconds = map(int, rest.split())

    def count(self, outcome):
        return list(self.results.values()).count(outcome)

    def broken(self):
        """Why this run says nothing, if so."""
        if self.errors:
            return "; ".join(self.errors)
        if self.status not in (0, 1):
            return {None: "did not end", 4: "skipped as a whole",
                    124: "did not end", 125: "the machine stopped"}.get(
                        self.status, f"status {self.status}")
        if set(self.results.values()) <= {"skip"}:
            return "no results"
        if self.status != ("fail" in self.results.values()) and not self.forgiven:
            return f"status {self.status}, {self.count('fail')} failed"
        return None


class Script:
    """All runs of a script on a kernel."""

    def __init__(self, logs, path):
        self.kernel, self.name = path.split("/")
        self.without, self.with_mlb = (
            [Run(log) for log in sorted(
                (logs / self.kernel).glob(f"{self.name}.{mode}.*.log"),
                key=lambda log: int(log.suffixes[-2][1:]))]
            for mode in ("without", "with"))
        self.names = list(dict.fromkeys(
            name for run in self.without + self.with_mlb
            for name in run.results))

    def __str__(self):
        return f"{self.kernel} {self.name}"

    def ran(self):
        return self.without and self.with_mlb

    def both(self, name):
        return [[run.results.get(name, "absent") for run in runs
                 if not run.only or argument(name) in run.only]
                for runs in (self.without, self.with_mlb)]

    def told(self, name):
        without, with_mlb = map(tally, self.both(name))
        return f"{self}: {name}: without {without}; with {with_mlb}"

    def verdict(self, name):
        """What mlb does to a test: "same", "differs", "undecided" when it ended
        so with mlb alone but not often enough, or "unsteady"."""
        without, with_mlb = self.both(name)
        if set(without) == set(with_mlb) and len(set(without)) == 1:
            return "same"
        others = set(with_mlb) - {"pass"}
        if any(chance(o, without, with_mlb) < CHANCE for o in others):
            return "differs"
        return "unsteady" if others <= set(without) else "undecided"

    def those(self, verdict):
        return [name for name in self.names if self.verdict(name) == verdict]

    def always(self, outcome):
        return [name for name in self.names
                if set(sum(self.both(name), [])) == {outcome}]

    def again(self):
        """Tests that failed in one of the first two runs, or ended otherwise:
        a failure in both can be chance in one and mlb in the other."""
        first = ((name, {self.both(name)[0][0], self.both(name)[1][0]})
                 for name in self.names)
        return [name for name, ends in first
                if len(ends) > 1 or "fail" in ends]

    def wrong(self):
        """What is wrong with the runs themselves."""
        faults = [f"{mode} mlb, run {i}: {run.broken()}"
                  for mode, runs in (("without", self.without),
                                     ("with", self.with_mlb))
                  for i, run in enumerate(runs) if run.broken()]
        needs = SEES.get(self.name, NEEDS + ["steer join-local"])
        return faults + [f"mlb did not count: {c}" for c in needs
                         if not self.with_mlb[0].counts.get(c)]


def tally(outcomes):
    return ", ".join(f"{outcomes.count(o)} {o}" for o in sorted(set(outcomes)))


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def report(everything):
    ran = [s for s in everything if s.ran()]
    missing = [s for s in everything if not s.ran()]
    older = [s for s in ran if
             f"{s.kernel}/{s.name}" in os.environ.get("MLB_OLDER", "").split()]
    wrong = [f"{s}: {why}" for s in ran for why in s.wrong()]
    told = {v: [s.told(name) for s in ran for name in s.those(v)]
            for v in ("differs", "undecided", "unsteady")}
    both = {o: [f"{s}: {name}" for s in ran for name in s.always(o)]
            for o in ("fail", "skip")}
    print((pathlib.Path(__file__).parent.parent /
           "selftests/mptcp/report.head").read_text())
    print("## Verdict\n")
    print(f"{sum(len(s.names) for s in ran)} tests in {len(ran)} of "
          f"{len(everything)} runs of a script on a kernel. With mlb "
          f"{len(told['differs'])} end otherwise, {len(told['undecided'])} may; "
          f"{len(told['unsteady'])} are unsteady without it too, "
          f"{len(both['fail'])} fail and {len(both['skip'])} are skipped both "
          f"ways. {len(wrong)} things went wrong with the runs.\n")
    print("## Results\n")
    table(["kernel", "release", "script", "tests", "without: pass", "fail",
           "skip", "with: pass", "fail", "skip", "differ", "undecided",
           "unsteady", "seconds"],
          [[s.kernel, s.with_mlb[0].release, s.name, len(s.names)] +
           [run.count(o) for run in (s.without[0], s.with_mlb[0])
            for o in ("pass", "fail", "skip")] +
           [len(s.those(v)) for v in told] +
           [f"{s.without[0].seconds}, {s.with_mlb[0].seconds}"]
           for s in ran])
    print("## What mlb saw\n\nIts counters after the first run, of all "
          "namespaces together.\n")
    table(["kernel", "script"] + COLUMNS + ["and"],
          [[s.kernel, s.name] +
           [s.with_mlb[0].counts.get(c, 0) for c in COLUMNS] +
           [", ".join(f"{c} {n}" for c, n in s.with_mlb[0].counts.items()
                      if c not in COLUMNS + SILENT)]
           for s in ran])
    for title, text, lines in (
            ("Not run", "Nothing is known of these.", missing),
            ("Of an older module", "Some runs of these were with other sources "
             "of mlb, or other scripts, than this version has.", older),
            ("What went wrong", "These runs prove nothing.", wrong),
            ("What differs", "With mlb these ended so, or more often so.",
             told["differs"]),
            ("Undecided", "With mlb these ended as they did not without, but "
             "too seldom to tell it from chance: more runs (-n) decide.",
             told["undecided"]),
            ("Unsteady", "Tests that do not always end the same without mlb "
             "either, in all runs.", told["unsteady"]),
            ("Failed both ways", "Every time. They say nothing of mlb.",
             both["fail"]),
            ("Skipped both ways", "What the scripts say that this kernel, or a "
             "tool, cannot do.", both["skip"])):
        if lines:
            print(f"## {title}\n\n{text}\n")
            print("\n".join(f"- {line}" for line in lines) + "\n")
    return int(bool(wrong or told["differs"] or told["undecided"] or missing
                    or older or not ran))


def main(args):
    again = args[0] == "-d"
    logs, *paths = args[1:] if again else args
    everything = [Script(pathlib.Path(logs), path) for path in paths]
    for script in everything if again else []:
        names = script.again() if script.ran() else []
        if names:
            part = names if script.name == "mptcp_join.sh" else []
            print(script.kernel, script.name, *map(argument, part), sep="\t")
    return 0 if again else report(everything)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
