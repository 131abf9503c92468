# SPDX-License-Identifier: MIT
# demo.mk - placeholder until the demo kernel's room is there.
