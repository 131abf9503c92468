#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""replay_page.py - the page of -timeline-html: what is in it, and that a
browser shows it."""

import json
import os
import re
import shutil
import subprocess
import tempfile

import guests
from lib import PATIENCE, need, tests

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# A fresh profile, as root, and not a word to any network.
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
         "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")
EVIL = """
    li   s0, 0x10000000
    la   s1, text
1:  lbu  a0, 0(s1)
    beqz a0, 2f
    sb   a0, 0(s0)
    addi s1, s1, 1
    j    1b
2:  la   t0, 3f
    csrw mtvec, t0
    li   s2, 50
    .word 0
    .balign 4
3:  addi s2, s2, -1
    beqz s2, 4f
    ecall
4:  li   t0, 0x100000
    li   t1, 0x5555
    sw   t1, 0(t0)
    j    .
text: .asciz "first\\n</script><b>&\\"\\\\\\377\\nlast"
"""


def page(name, *args):
    """Records the guest, then makes the page out of the recording."""
    html, run = guests.path(name + ".html"), guests.path(name + ".ebr")
    guests.exits(0, "-record", run, "-name", "<i>evil</i>", *args)
    guests.exits(0, "-replay", run, "-timeline-html", html)
    with open(html, encoding="ascii") as f:
        text = f.read()
    data = re.search(r'<script id="run" type="application/json">(.*?)</script>',
                     text, re.S).group(1)
    return html, text, json.loads(data)


def evil():
    return page("evil", *guests.bare(guests.guest("evil", EVIL)))


def everything_is_in_it():
    _, text, run = evil()
    need("http" not in text.replace("http-equiv", ""), "it wants a network")
    need([line[1] for line in run["lines"]] ==
         ["first", '</script><b>&"\\\xff', "last"], run["lines"])
    causes = {name: n for _, name, n in run["causes"]}
    need(causes == {"illegal_instruction": 1, "machine_ecall": 49}, causes)
    steps = sum(sum(bucket[2:]) for bucket in run["buckets"])
    need(steps == run["end"], f"{steps} steps of {run['end']} are shown")
    need(sum(b[0] for b in run["buckets"]) == 50, "exceptions were lost")
    need(run["checkpoints"][0] == [0, ""], run["checkpoints"])


def a_long_run_is_a_small_page():
    loop = "li t0, 100000\n1: addi t0, t0, -1\nbnez t0, 1b\n"
    end = "li t0, 0x100000\nli t1, 0x5555\nsw t1, 0(t0)\nj ."
    html, _, run = page("long", "-smp", "2",
                        *guests.bare(guests.guest("long", loop + end)))
    need(len(run["buckets"]) <= 4096 and len(run["buckets"]) > 1000, "?")
    need(os.path.getsize(html) < 300000, os.path.getsize(html))
    need(sum(sum(b[2:]) for b in run["buckets"]) == run["end"], "steps lost")


def a_browser_shows_it():
    html, _, run = evil()
    with tempfile.TemporaryDirectory() as home:
        dom = subprocess.run(
            [CHROMIUM, *FLAGS, f"--user-data-dir={home}",
             "--virtual-time-budget=2000", "--dump-dom", "file://" + html],
            capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=60 * PATIENCE, check=True).stdout
    need(f'data-ready="{len(run["buckets"])}"' in dom, dom[:300])
    need("&lt;i&gt;evil&lt;/i&gt;</h1>" in dom, "the name is not shown")
    need("&lt;/script&gt;&lt;b&gt;&amp;" in dom, "a line is not shown")
    need("illegal instruction 1" in dom, "causes are not shown")


found = [everything_is_in_it, a_long_run_is_a_small_page]
if CHROMIUM:
    found.append(a_browser_shows_it)
else:
    print("skip a_browser_shows_it: there is no chromium")
tests(*found)
