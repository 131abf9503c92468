/* SPDX-License-Identifier: MIT */
/* version.h - what -version, the monitor's banner and `info version` say. */
#ifndef EMU_BASE_VERSION_H
#define EMU_BASE_VERSION_H

#define EBREAK_VERSION "0.1"

#endif
