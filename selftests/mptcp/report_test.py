#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What scripts/mptcp-report.py makes of logs.

If this fails, a test of the kernel that mlb breaks, or that never ran, is
reported as one that mlb leaves alone.
"""
import contextlib
import importlib.util
import io
import pathlib
import tempfile
import unittest
import unittest.mock

SPEC = importlib.util.spec_from_file_location(
    "report", pathlib.Path(__file__).parents[2] / "scripts/mptcp-report.py")
report = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(report)

SEEN = "".join(f"@@ count {c} 3\n" for c in [*report.NEEDS, "steer join-local"])
SCRIPT = "mptcp_connect.sh"
FAULT = "the kernel log:\nWARNING: here\n"


def tap(outcomes, planned=None):
    """What a script says whose tests t0, t1... pass, fail, are skipped."""
    lines = [f"{'not ok' if o == 'f' else 'ok'} {n} - m: t{n}"
             f"{' # SKIP' if o == 's' else ''} # time={n}ms\n"
             for n, o in enumerate(outcomes, 1)]
    return f"TAP version 13\n1..{planned or len(outcomes)}\n" + "".join(lines)


def status(text):
    return int("not ok" in text or "FAIL" in text)


class Report(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        (pathlib.Path(self.dir.name) / "k").mkdir()

    def log(self, mode, number, text, end=None, seen=SEEN, script=SCRIPT):
        end = status(text) if end is None else end
        (pathlib.Path(self.dir.name) /
         f"k/{script}.{mode}.{number}.log").write_text(
             text + (seen if mode == "with" else "") + f"@@ vm {end} 7\n")

    def logs(self, without, with_mlb, **more):
        """A pair of logs for each pair of texts."""
        for number, (a, b) in enumerate(zip(without, with_mlb)):
            self.log("without", number, a, **more)
            self.log("with", number, b, **more)

    def run_it(self, *args):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            code = report.main([*args[:-1], self.dir.name, args[-1]])
        return code, out.getvalue()

    def verdict(self, says=""):
        code, out = self.run_it("k/" + SCRIPT)
        self.assertIn(says, out)
        return code

    def test_same(self):
        self.logs([tap("pps")], [tap("pps")])
        self.assertEqual(self.verdict("3 tests in 1 of 1"), 0)

    def test_fails_with(self):
        self.logs([tap("pp")] * 6, [tap("pf")] * 6)
        self.assertEqual(self.verdict("1 end otherwise, 0 may"), 1)

    def test_failed_with(self):
        self.logs([tap("pp")] * 6, [tap("pp")] * 5 + [tap("pf")])
        self.assertEqual(self.verdict("0 end otherwise, 1 may"), 1)

    def test_fails_without(self):
        self.logs([tap("pf")] * 6, [tap("pp")] * 6)
        self.assertEqual(self.verdict("6 fail; with 6 pass"), 0)

    def test_absent_with(self):
        self.logs([tap("pp")], [tap("p")])
        self.assertEqual(self.verdict("t2: without 1 pass; with 1 absent"), 1)

    def test_fails_both_ways(self):
        self.logs([tap("pf")], [tap("pf")])
        self.assertEqual(self.verdict("## Failed both ways"), 0)
        self.assertEqual(self.run_it("-d", "k/" + SCRIPT)[1], f"k\t{SCRIPT}\n")

    def test_unsteady(self):
        self.logs([tap("f")] + [tap("p")] * 5, [tap("p")] * 6)
        self.assertEqual(self.verdict("1 fail, 5 pass; with 6 pass"), 0)

    def test_unsteady_but_more_often_with(self):
        self.logs([tap("f")] + [tap("p")] * 5, [tap("f")] * 6)
        self.assertEqual(self.verdict("1 fail, 5 pass; with 6 fail"), 1)

    def test_nothing_ran(self):
        for text, end in (("", 0), ("SKIP: no tool\n", 4), (tap("ss"), 0)):
            self.logs([text], [text], end=end)
            self.assertEqual(self.verdict("## What went wrong"), 1, text)

    def test_not_run(self):
        self.assertEqual(self.verdict("## Not run"), 1)
        self.log("without", 0, tap("p"))
        self.assertEqual(self.verdict("## Not run"), 1)

    def test_older(self):
        self.logs([tap("p")], [tap("p")])
        with unittest.mock.patch.dict(report.os.environ,
                                      MLB_OLDER=f"k/{SCRIPT} k/else"):
            self.assertEqual(self.verdict("## Of an older module"), 1)

    def test_ended_early(self):
        self.logs([tap("pp", 3)], [tap("pp", 3)])
        self.assertEqual(self.verdict("2 results of 3"), 1)
        for text, end in ((tap("pp"), 1), (tap("pp"), 124), (tap("pp"), 125)):
            self.logs([text], [text], end=end)
            self.assertEqual(self.verdict("## What went wrong"), 1, end)

    def test_part_absent(self):
        text = "./mptcp_lib.sh: line 407: wait_port: command not found\n"
        self.logs([text + tap("pp")], [text + tap("pp")])
        self.assertEqual(self.verdict("wait_port: command not found"), 1)

    def test_kernel_faults(self):
        for text, end in ((tap("pp") + FAULT, 70), (tap("pf") + FAULT, 1)):
            self.logs([tap("pp")], [text], end=end)
            self.assertEqual(self.verdict("faults in the kernel's log"), 1)

    def test_mlb_saw_nothing(self):
        self.logs([tap("pp")], [tap("pp")], seen="")
        self.assertEqual(self.verdict("mlb did not count: owner learnt"), 1)

    def test_marks(self):
        """The scripts of 6.1 speak no TAP; the tests of mptcp_join.sh there
        are run again by their numbers."""
        head = "{:03} {:<36} syn[{}]\n"
        lines = (head.format(1, "one", " ok ") + "     add[{}]\n" +
                 head.format(2, "two", "skip"))
        script = "mptcp_join.sh"
        self.logs([lines.format(" ok ")], [lines.format("fail")], script=script)
        self.log("with", 0, lines.format("fail"), end=1, script=script)
        code, out = self.run_it("k/" + script)
        self.assertEqual(code, 1)
        self.assertIn("001 one: without 1 pass; with 1 fail", out)
        self.assertEqual(self.run_it("-d", "k/" + script)[1], f"k\t{script}\t1\n")
        for mode in ("without", "with"):
            self.log(mode, 1, "@@ only 1\n" + head.format(1, "one", "fail"),
                     end=1, script=script)
        self.assertEqual(self.run_it("k/" + script)[0], 0)


    def test_figures(self):
        lines = "balanced    {} max 7906       [ {} ]\n"
        slow = "transfer slower than expected! runtime 7934 ms, expected 7906 ms"
        self.logs([lines.format(7565, "OK")], [lines.format(slow, "fail")])
        self.log("with", 0, lines.format(slow, "fail"), end=1)
        self.assertEqual(self.verdict("balanced: without 1 pass; with 1 fail"), 1)

    def test_said(self):
        lines = ("many sockets      [  {}  ]\nPASS: marks\n"
                 "INFO: TCP_INQ not supported: SKIP\n")
        self.logs([lines.format("ok")], [lines.format("fail")], end=0)
        self.log("with", 0, lines.format("fail"), end=1)
        self.assertEqual(self.verdict("many sockets: without 1 pass; with"), 1)
        self.assertEqual(self.verdict("3 tests in 1 of 1"), 1)
        self.assertEqual(self.verdict("TCP_INQ not supported"), 1)


if __name__ == "__main__":
    unittest.main()
