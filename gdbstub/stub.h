/* SPDX-License-Identifier: MIT */
/*
 * stub.h - what the files of this room share.
 *
 * link.c turns bytes into packets and back and knows no meaning; args.c takes
 * a packet's arguments apart; packets.c, points.c, resume.c and queries.c hold
 * one row per packet; files.c lets gdb read the images, objects.c tables and
 * lists; symbols.c has gdb look up names, modules.c finds Linux's modules with
 * them (modules.h); target_xml.c describes the registers; gdbstub.c owns
 * sessions and decides when a stop is told to whom.
 *
 * Everything that arrives is hostile until parsed: lengths, numbers, order.
 */
#ifndef GDBSTUB_STUB_H
#define GDBSTUB_STUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emu/base/buf.h"

#include "emu/debug.h"
#include "gdbstub/gdbstub.h"

struct chardev;
struct timer;
struct bh;
struct modules;
struct kofiles;

enum {
    STUB_PACKET = 0x20000,   /* bytes between $ and #, as PacketSize says */
    STUB_QUEUE = 16 << 20,   /* unsent bytes after which a client is dropped */
    STUB_TEXT = 4 << 20,     /* of a monitor command's output */
    STUB_CHUNK = 4096,       /* of text in one O packet */
    STUB_CLIENTS = 16,       /* sessions on one port */
    STUB_POINTS = 1 << 20,   /* per session */
    STUB_CRC = 64 << 20,     /* bytes of one qCRC; gdb reads the rest itself */
    STUB_SEARCH = 1 << 30,   /* bytes of one qSearch, likewise */
    STUB_PART = 64 << 10,    /* bytes looked at at a time; a longest pattern */
    STUB_CORE_REGS = 33,     /* x0..x31, pc: what g and G carry */
    STUB_DRAIN_NS = 2000000, /* between attempts to send what is queued */
    STUB_ARRIVED_NS = 2000000000, /* how soon gdb's run continues */
};

/* Bytes that go to or come from the line at a time: `make hostile` splits
 * packets everywhere. */
#ifdef HOSTILE
enum { STUB_PIECE = 1 };
#else
enum { STUB_PIECE = 1 << 20 };
#endif

/* The numbers of E replies are errno's, as other stubs use them. */
enum { STUB_EFAULT = 0x14, STUB_EINVAL = 0x22, STUB_ENOSPC = 0x28 };

/* Framing: link.c ---------------------------------------------------------- */

struct link_ops {
    /* data may be changed and is followed by a 0 byte. */
    void (*packet)(void *opaque, char *data, size_t len);
    void (*interrupt)(void *opaque); /* 0x03 */
    size_t (*write)(void *opaque, const void *data, size_t len);
    void (*stalled)(void *opaque); /* bytes wait: call link_flush later */
    void (*broken)(void *opaque);  /* the client does not read: drop it */
};

enum link_state { LINK_IDLE, LINK_DATA, LINK_SUM1, LINK_SUM2 };

struct link {
    const struct link_ops *ops;
    void *opaque;
    struct buf in;    /* the packet that is arriving, still escaped */
    struct buf last;  /* the frame sent last, for a '-' */
    struct buf queue; /* frames that the other side has not taken */
    enum link_state state;
    uint8_t sum, wanted; /* of the arriving packet */
    bool no_ack, too_long, broken, feeding;
};

void link_init(struct link *l, const struct link_ops *ops, void *opaque);
void link_fini(struct link *l);
void link_reset(struct link *l); /* a new client */
void link_feed(struct link *l, const void *data, size_t len);
/* Frames one packet whose binary parts are escaped already. */
void link_send(struct link *l, const void *data, size_t len);
void link_flush(struct link *l);
/* Appends bytes with # $ } * escaped. */
void link_escape(struct buf *out, const void *data, size_t len);

/* Arguments: args.c ---------------------------------------------------------*/

/* A thread-id is a hart's number or one of these. */
enum { THREAD_ALL = -1, THREAD_ANY = -2, THREAD_NONE = -3 };

struct args {
    uint64_t n[4];
    unsigned count; /* of n that were given */
    char letter;
    int thread;
    char *rest;
    size_t rest_len;
};

struct cursor {
    char *at, *end;
};

/*
 * Takes text apart as schema says; false when it does not fit. A schema's
 * letters: h a number in hex (to n[]), l one character, t a thread-id, b the
 * rest as bytes in hex (decoded in place to rest), r the rest as it is, [ the
 * text may end here. Anything else stands for itself.
 */
bool args_parse(const char *schema, char *text, size_t len, struct args *a);

int hex_digit(char c); /* -1: it is none */
bool take_char(struct cursor *c, char want);
bool take_hex(struct cursor *c, uint64_t *v);
bool take_thread(struct cursor *c, int *thread);

/* Sessions: gdbstub.c ------------------------------------------------------ */

/* What gdb is asked to look up. */
enum {
    SYMBOL_BANNER,
    SYMBOL_INIT_TASK,
    SYMBOL_MODULES,
    SYMBOL_BTF,
    SYMBOL_BTF_END,
    SYMBOL_DO_INIT_MODULE,
    SYMBOLS
};

/* What gdb waits for. */
enum owed {
    OWE_NOTHING, /* it believes the machine stopped */
    OWE_STATUS,  /* the answer to ?, once the machine has stopped */
    OWE_STOP,    /* the stop reply of a resume */
    OWE_MONITOR, /* the end of a command that moves in time */
};

struct session {
    struct gdbstub *stub;
    struct machine *m;
    struct chardev *chr; /* NULL: gone, the reaper comes */
    struct session *next;
    struct link link;
    struct timer *drain;
    struct bh *reaper, *holder;
    struct buf later; /* text for when gdb can take it */
    size_t points;    /* set and not removed, about */
    size_t lost;      /* lines of points' commands that gdb was too slow for */
    int hart;         /* Hg: whose registers and translation */
    int resumed;      /* Hc: a hart, THREAD_ALL or THREAD_ANY */
    enum owed owed;
    bool client; /* the chardev was accepted for this session alone */
    bool open;   /* somebody is there */
    bool hold;   /* came during start-up: the first run is stopped at T=0 */
    bool letgo;  /* detached or killed: the machine is not ours */
    bool reads;  /* was told of a library: it will go on by itself */
    int64_t arrived_ns; /* when vRun came to a place in time; 0: it did not */
    bool restart_due;   /* killed in the past: no reset yet, see resume.c */
    bool multiprocess, swbreak, hwbreak, error_message; /* gdb's features */
    bool physical;                                      /* Qqemu.PhyMemMode */
    bool plain;               /* the present packet's errors must be numbers */
    unsigned sstep;           /* Qqemu.sstep */
    enum debug_irq irq;       /* as it says, once it was used */
    uint64_t symbol[SYMBOLS]; /* 0: gdb does not know it */
    unsigned symbols_asked;
    uint64_t comm; /* where in a Linux task its name is; 0: not known */
    struct modules *modules;
};

struct gdbstub {
    struct machine *m;
    struct chardev *chr;
    struct gdbstub_config config;
    struct session *sessions;
    struct session *caller; /* is to answer a semihosting call */
    bool listening;         /* chr hands out a chardev per client */
    struct kofiles *kofiles;
};

int session_threads(const struct session *s); /* one, before there are harts */
void session_thread(const struct session *s, struct buf *out, int hart);
bool session_has_thread(const struct session *s, int thread);
enum debug_space session_space(const struct session *s);
/* The machine is running under s and nobody else needs it stopped. */
bool session_alone(const struct session *s);
/* s has read its libraries, or will not. True: others still do. */
bool session_has_read(struct session *s);
void session_reads_no_more(struct session *s); /* it goes */

/* Text on gdb's console. */
void session_say(struct session *s, const char *text, size_t len);
void session_say_later(struct session *s); /* what had to wait */

/* gdb's own numbers of signals, not the host's. */
enum signal {
    SIGNAL_NONE = 0,
    SIGNAL_INT = 2,
    SIGNAL_QUIT = 3,
    SIGNAL_TRAP = 5
};

/* The hart that stopped becomes the one that g and m are about. */
void session_select(struct session *s);

/* Where the machine stands, and the reply to a resume. */
void session_status(struct session *s, enum signal signal, struct buf *out);
void session_stop(struct session *s, const struct debug_stop *stop,
                  struct buf *out);
/* Nothing happened, but the list of libraries is another. */
void session_library(struct session *s, struct buf *out);

/* An E reply, with the text where gdb can take one. Always true. */
bool session_error(struct session *s, struct buf *out, unsigned code,
                   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Packets: packets.c, points.c, resume.c, queries.c, files.c --------------- */

/* Appends the reply to out; false when there is none (now). */
typedef bool packet_fn(struct session *s, struct args *a, struct buf *out);

struct packet {
    const char *name;
    const char *schema;
    packet_fn *fn;
    bool plain; /* gdb takes no error text here unless it said so */
};

/* Ends with a row that has no name. */
extern const struct packet packets[], point_packets[], resume_packets[],
    queries[];

extern const struct packet file_packets[], symbol_packets[];

void packets_handle(struct session *s, char *data, size_t len);
/* Does to the machine what p says, or else, if that is GDB_DEFAULT, what. */
void session_restart_due(struct session *s);
void session_settle(struct session *s, enum gdb_policy p, enum gdb_policy what);
void registers_add(struct session *s, struct buf *out, unsigned number);

/* Semihosting calls: calls.c ------------------------------------------------- */

extern const struct packet call_packets[];

/* The machine has stopped for a call; a session that is to answer it goes. */
void calls_ask(struct gdbstub *g);
void calls_lost(struct session *s);
debug_takes_fn calls_takes;

/* The Linux that runs, if gdb's symbols say so: symbols.c -------------------*/

/* Its first line of output; and the name of the task a hart runs, in 16 bytes.
 * False: there is none, or it is not known. */
bool session_banner(const struct session *s, char *text, size_t size);
bool session_task(struct session *s, int hart, char *comm);

/* Its modules: modules.c --------------------------------------------------- */

struct modules *modules_new(struct session *s);
void modules_free(struct modules *k);
void modules_forget(struct session *s); /* another client, or none */
void modules_look(struct session *s);   /* the symbols were looked up */

/* Files of modules, for all sessions: kofiles.c */
struct kofiles *kofiles_new(struct machine *m, const char *const *dirs,
                            size_t n);
void kofiles_free(struct kofiles *k);

/* The list that gdb has read is not what it would read now. */
bool modules_due(struct session *s);
void modules_told(struct session *s); /* it hears of that: only once */
void modules_list(struct session *s, struct buf *out);  /* <library>... */
void modules_table(struct session *s, struct buf *out); /* info os modules */

/* Their files. A number for modules_file, which is NULL for any other; 0: there
 * is no such path. */
uint64_t modules_open(struct session *s, const char *path);
const struct buf *modules_file(const struct session *s, uint64_t n);
void modules_close(struct session *s, uint64_t n);

/* What qXfer reads: objects.c ------------------------------------------------ */

packet_fn objects_xfer;
void objects_offer(struct buf *out);                  /* for qSupported */
void objects_text(struct buf *out, const char *text); /* escaped */
void objects_column(struct buf *out, const char *name, const char *text);
/* "S-mode, wfi, swapper/1"; before there are harts, how far the start-up is. */
void session_describe(struct session *s, int hart, struct buf *out);

/* The register description: target_xml.c ------------------------------------*/

/* The file called annex; false when there is none. */
bool target_xml(const struct machine *m, const char *annex, struct buf *out);

#endif
