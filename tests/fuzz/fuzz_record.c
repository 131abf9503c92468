/* SPDX-License-Identifier: MIT */
/*
 * fuzz_record.c - recordings and states out of hostile files.
 *
 * The input is a list of frames (a byte of kind, two of length, the bytes);
 * they are packed and checksummed here, or checksums would stop the fuzzer
 * at every door. A byte before it all says what the file is to be. Then the
 * same bytes are given as they are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "emu/base/buf.h"
#include "emu/base/log.h"
#include "emu/base/tap.h"

#include "emu/machine/frames.h"
#include "emu/machine/recording.h"
#include "emu/machine/snapshot.h"
#include "tests/fuzz/bytes.h"

static void frames_from(int fd, struct bytes *b)
{
    static uint8_t body[65536];
    struct err err;

    while (b->left > 0) {
        enum frame_kind kind = (enum frame_kind)(take8(b) % 32);
        size_t n = take16(b);

        if (!frame_write(fd, kind, body, take(b, body, n), &err))
            abort();
    }
}

static void look_at(int fd)
{
    char path[32];
    struct err err;
    struct moment when;
    struct frames f;
    struct recording *r;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    r = recording_open(path, &err);
    for (size_t n = 0; r && recording_option(r, n); n++)
        continue;
    recording_free(r);
    if (frames_open(&f, fd, FRAMES_SNAPSHOT, &err))
        snapshot_check(NULL, &f, &when, NULL, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes b = { data, len };
    int fd = memfd_create("fuzz", 0);
    struct err err;

    if (frames_begin(fd, take8(&b) % 2 ? FRAMES_SNAPSHOT : FRAMES_RECORDING,
                     &err)) {
        frames_from(fd, &b);
        look_at(fd);
    }
    if (ftruncate(fd, 0) || pwrite(fd, data, len, 0) < 0)
        abort();
    look_at(fd);
    close(fd);
    return 0;
}
