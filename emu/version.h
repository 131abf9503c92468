/* SPDX-License-Identifier: MIT */
/* version.h - which ebreak this is. */
#ifndef EMU_VERSION_H
#define EMU_VERSION_H

#define EBREAK_VERSION "0.1"

#endif
