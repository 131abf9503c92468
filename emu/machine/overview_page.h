/* SPDX-License-Identifier: MIT */
/* overview_page.h - overview.html as data; made by overview_page.S. */
#ifndef EMU_MACHINE_OVERVIEW_PAGE_H
#define EMU_MACHINE_OVERVIEW_PAGE_H

#define OVERVIEW_GAP "@DATA@" /* the run goes here */

extern const char overview_page[]; /* ends with a 0 byte */

#endif
