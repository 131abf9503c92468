/* SPDX-License-Identifier: MIT */
/*
 * frames.h - the one file format of snapshots and recordings.
 *
 * A file is a head and then frames, each compressed and checksummed by
 * itself, so that it can be written as a stream and what is whole of it can
 * be read. All numbers are little-endian:
 *
 *   head   8 bytes "EBREAK\r\n", u32 version (1), u32 kind: enum frames_file
 *   frame  u32 kind, u32 stored, u32 raw, u32 crc of the stored bytes,
 *          u32 crc of the 16 bytes before; then the stored bytes: zstd
 *
 * crc is zlib's crc32. A frame has at most FRAME_MAX raw bytes. Files are
 * hostile: nothing in them is believed before it was checked.
 */
#ifndef EMU_MACHINE_FRAMES_H
#define EMU_MACHINE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

enum { FRAME_MAX = 4 << 20, FRAMES_HEAD = 16, FRAME_HEAD = 20 };

enum frames_file { FRAMES_SNAPSHOT = 1, FRAMES_RECORDING = 2 };

/* What a frame holds; snapshot.c and record.c describe their own. */
enum frame_kind {
    FRAME_SHAPE = 1, /* a state begins: the machine it is of */
    FRAME_MOMENT,    /* when it was taken */
    FRAME_DEVS,      /* all fields; may be several frames */
    FRAME_PAGES,     /* memory */
    FRAME_STATE_END,
    FRAME_OPTIONS = 16, /* a recording: how its machine is made */
    FRAME_FILE,         /* a piece of a file that it is made from */
    FRAME_START,        /* the machine is complete; inputs follow */
    FRAME_SOURCES,      /* names of the inputs' sources */
    FRAME_INPUTS,
    FRAME_CUT_LOG, /* the log goes on from an earlier place */
    FRAME_CLOSED,
    FRAME_KEY, /* a state on the way, to go on from */
};

/* Writes all of it; false and the reason if it cannot. fd may be a pipe. */
bool frames_begin(int fd, enum frames_file kind, struct err *err);
bool frame_write(int fd, enum frame_kind kind, const void *data, size_t len,
                 struct err *err);

/* Frames of a file, from the byte `at` on. The descriptor is borrowed. */
struct frames {
    int fd;
    uint64_t at;
    bool cut; /* the file ended, within a frame or where one was due */
};

enum frame_result {
    FRAME_IS,   /* here it is */
    FRAME_NONE, /* the file ends here */
    FRAME_CUT,  /* the file ends within a frame */
    FRAME_BAD,  /* it is damaged: err says where */
};

/* Checks the head; on success f stands at the first frame. */
bool frames_open(struct frames *f, int fd, enum frames_file kind,
                 struct err *err);

/* Replaces out by the next frame's bytes and goes past it; err is set for
 * all results but FRAME_IS and FRAME_NONE. out NULL: only checks the head and
 * goes past it. */
enum frame_result frame_next(struct frames *f, enum frame_kind *kind,
                             struct buf *out, struct err *err);

#endif
