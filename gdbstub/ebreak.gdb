# SPDX-License-Identifier: MIT
# ebreak.gdb - for `source` in gdb: after a `monitor` command gdb forgets the
# registers, frames and memory it has read, for the command may have changed
# them (system_reset, for one).

define hookpost-monitor
  python gdb.execute("maintenance flush register-cache", to_string=True)
  python gdb.execute("maintenance flush dcache", to_string=True)
end
