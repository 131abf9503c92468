/* SPDX-License-Identifier: MIT */
/*
 * debug.h - the machine as a debugger sees it: all that gdbstub and monitor
 * may know.
 *
 * Harts and one table of registers; memory; points; run control with one
 * request in and one event out to any number of listeners; time; the machine
 * and its start-up. Nothing here disturbs the guest unless its comment says
 * so; what does is an input and goes into the log.
 *
 * Every function works in every phase: before there are harts there are none
 * of them, memory cannot be read, and so on.
 */
#ifndef EMU_DEBUG_H
#define EMU_DEBUG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "emu/base/bytecode.h"

struct machine;
struct buf;
struct err;
struct chardevs;
struct loop;

/* Opens and closes the door: before and after everything else. */
void debug_init(struct machine *m);
void debug_fini(struct machine *m);

/* The machine's parts are there now: registers exist, events flow. */
void debug_attach(struct machine *m);

/* Harts ----------------------------------------------------------------- */

struct debug_hart {
    uint64_t pc;
    uint64_t steps; /* done by this hart */
    unsigned priv;  /* 0 U, 1 S, 3 M */
    bool waiting;   /* in wfi */
};

int debug_harts(const struct machine *m);
void debug_hart(const struct machine *m, int hart, struct debug_hart *out);

/* Registers: one table feeds g and p, target.xml, info registers, $expr --- */

enum debug_group { DEBUG_GPR, DEBUG_FPR, DEBUG_VIRTUAL, DEBUG_CSR };

struct debug_reg {
    const char *name;  /* "zero", "fp", "pc", "ft0", "priv", "mstatus" */
    const char *alias; /* "x0", "s0", "f0", or NULL */
    const char *type;  /* gdb's: "int", "code_ptr", "data_ptr", a flags id */
    unsigned number;   /* gdb's canonical: x 0-31, pc 32, f 33-64,
                          csr 65 + n, priv 4161 */
    enum debug_group group;
    unsigned bits;
    int csr; /* its number, -1 if none */
};

/* Only registers that exist on these harts; in order of number. n may be 0. */
const struct debug_reg *debug_regs(const struct machine *m, size_t *n);
const struct debug_reg *debug_reg_named(const struct machine *m,
                                        const char *name);
const struct debug_reg *debug_reg_numbered(const struct machine *m,
                                           unsigned number);
bool debug_reg_get(struct machine *m, int hart, const struct debug_reg *r,
                   uint64_t *v);
/* A poke: an input. WARL fields are legalised, read-only ones unchanged. */
bool debug_reg_set(struct machine *m, int hart, const struct debug_reg *r,
                   uint64_t v);

/* Memory ---------------------------------------------------------------- */

enum debug_space {
    DEBUG_VIRT, /* as the hart sees it now; falls back to S-mode's view */
    DEBUG_PHYS,
};

/*
 * Reads or writes up to the first byte that cannot be; returns how many were
 * done, and in err (may be NULL) why it stopped. Permissions, A and D bits
 * and TLBs are left alone; devices are peeked at unless debug_io is on. A
 * write is a poke; ROM and flash can be written.
 */
size_t debug_read(struct machine *m, int hart, enum debug_space s,
                  uint64_t addr, void *data, size_t len, struct err *err);
size_t debug_write(struct machine *m, int hart, enum debug_space s,
                   uint64_t addr, const void *data, size_t len,
                   struct err *err);
bool debug_io(struct machine *m, int on); /* 0, 1, or -1: just ask */

struct debug_walk {
    uint64_t pa, page_size;
    int levels;
    uint64_t pte_addr[5], pte[5];
    const char *fault; /* NULL: mapped */
};
/* False when va is not mapped. */
bool debug_translate(struct machine *m, int hart, uint64_t va,
                     struct debug_walk *w);

typedef void debug_leaf_fn(void *opaque, uint64_t va, uint64_t pa,
                           uint64_t size, uint64_t pte);
/* Every leaf of the hart's satp, by va; false when there is no translation. */
bool debug_leaves(struct machine *m, int hart, debug_leaf_fn *fn, void *opaque);

struct debug_region {
    const char *name;
    uint64_t base, size;
    const char *type; /* "ram", "rom", "romd", "i/o" */
    bool nested;
    uint8_t *host; /* NULL: not RAM */
};
bool debug_region(const struct machine *m, size_t n, struct debug_region *out);

struct debug_rom {
    const char *name;
    uint64_t addr, size;
    bool ram; /* lies in RAM, not in ROM */
};
bool debug_rom(const struct machine *m, size_t n, struct debug_rom *out);

/* Programs ----------------------------------------------------------------- */

struct debug_image {
    const char *path; /* absolute */
    const char *role; /* "firmware", "kernel", "ramdisk", "loader" */
    bool elf;         /* a debugger can take symbols from the file */
    size_t segments;
};
struct debug_segment {
    uint64_t va, pa, size;
};

/* The files that were put into memory, in order; their segments and bytes:
 * how many were read, 0 at the end, -1 and errno. */
bool debug_image(const struct machine *m, size_t n, struct debug_image *out);
bool debug_segment(const struct machine *m, size_t image, size_t n,
                   struct debug_segment *out);
int64_t debug_image_read(const struct machine *m, size_t image, uint64_t offset,
                         void *data, size_t len);
int64_t debug_image_length(const struct machine *m, size_t image);

/* The symbol of these programs that addr lies in, and how far; NULL: none.
 * Names are printable, without blanks; otherwise hostile. */
const char *debug_symbol(const struct machine *m, uint64_t addr,
                         uint64_t *offset);

/* The device tree as source text; what the guest did to it is not seen. */
void debug_fdt(const struct machine *m, struct buf *out);

/* Another command line for the kernel that was just loaded, in the device tree
 * as it lies in memory: a poke. The next reset brings -append's back. */
bool debug_bootargs(struct machine *m, const char *args, struct err *err);

/* One instruction at addr: "addi a0,a0,10" into text, its raw bytes in *raw;
 * returns its length, 0 when memory cannot be read. */
int debug_disas(struct machine *m, int hart, enum debug_space s, uint64_t addr,
                uint32_t *raw, char *text, size_t size);

/* Points ---------------------------------------------------------------- */

/*
 * READ and WRITE are bits, for watchpoints and for which accesses to a CSR, a
 * device or to nothing are meant. A catchpoint for a trap, an interrupt or a
 * change of mode stops in front of the first instruction after it; the others,
 * and watchpoints, in front of the instruction that they are about.
 */
enum debug_point_kind {
    DEBUG_BREAK = 1,
    DEBUG_READ = 2,
    DEBUG_WRITE = 4,
    DEBUG_CATCH_TRAP = 8,       /* addr: a mask of causes; 0: any */
    DEBUG_CATCH_IRQ = 16,       /* addr: likewise */
    DEBUG_CATCH_PRIV = 32,      /* a change of mode */
    DEBUG_CATCH_CSR = 64,       /* addr: its number; len: how many from there */
    DEBUG_CATCH_DEVICE = 128,   /* in len bytes from physical addr */
    DEBUG_CATCH_UNMAPPED = 256, /* nothing there, likewise */
};
#define DEBUG_CATCH                                                            \
    (DEBUG_CATCH_TRAP | DEBUG_CATCH_IRQ | DEBUG_CATCH_PRIV | DEBUG_CATCH_CSR | \
     DEBUG_CATCH_DEVICE | DEBUG_CATCH_UNMAPPED)

/* Within an instruction: is the hart to stop at this point? It only looks. */
typedef bool debug_asks_fn(void *opaque, int hart);

/*
 * A point that is hit where its filters match and a condition is true (or
 * there are none, or it is an error) stops the machine, or, if it has commands,
 * runs them instead: what they print is told as DEBUG_EVENT_TEXT. Both are
 * gdb's agent expressions. What of a point is not condition, command, count
 * or flag is its name: adding it again replaces the rest.
 *
 * A breakpoint with asks is the debugger's own business: its stop is nobody
 * else's, is no place for debug_back, and who goes back does not meet it.
 */
struct debug_point {
    uint32_t kind; /* DEBUG_BREAK, READ and WRITE bits, or what to catch */
    bool hw;       /* reported as hwbreak */
    bool phys;     /* break, watch: addr is physical, whoever reaches it */
    bool by_satp;  /* only in the address space that satp names */
    bool change;   /* watch: a store of what is there already is no hit */
    bool persist;  /* commands go on when the owner has gone: owner is NULL */
    uint64_t addr, len;
    uint64_t harts; /* mask; 0: all */
    uint64_t satp;
    uint32_t privs; /* mask of 1 << mode (0 U, 1 S, 3 M); 0: all */
    uint32_t to;    /* TRAP, IRQ, PRIV: the mode after it, privs before */
    struct bytecodes when, commands; /* copied; not in what debug_point gives */
    size_t conditions;               /* how many there are: given, not taken */
    uint64_t hits;                   /* likewise */
    const void *owner;
    debug_asks_fn *asks; /* NULL: nobody is asked */
    void *asks_opaque;
};

enum {
    DEBUG_POINT_CODE = 64 << 20, /* bytes of bytecode in all points */
    DEBUG_WATCH_PHYS = 16 << 20, /* bytes of one physical watchpoint */
};

bool debug_point_add(struct machine *m, const struct debug_point *p,
                     struct err *err);
bool debug_point_remove(struct machine *m, const struct debug_point *p);
void debug_points_clear(struct machine *m, const void *owner);
bool debug_point(const struct machine *m, size_t n, struct debug_point *out);

/* Run control ------------------------------------------------------------ */

enum debug_stop_reason {
    DEBUG_STOP_NONE,     /* never ran */
    DEBUG_STOP_STEP,     /* asked-for steps are done */
    DEBUG_STOP_BREAK,    /* point.kind DEBUG_BREAK, pc = its address */
    DEBUG_STOP_WATCH,    /* before the access: pc = the load or store;
                            going back: right after it */
    DEBUG_STOP_PAUSE,    /* debug_interrupt, `stop`, a signal */
    DEBUG_STOP_SHUTDOWN, /* the guest powered off and -no-shutdown is on */
    DEBUG_STOP_RESET,    /* stopped machine was reset */
    DEBUG_STOP_CATCH,
    DEBUG_STOP_CALL,  /* a semihosting call waits: debug_call */
    DEBUG_STOP_TIME,  /* T is what was asked for */
    DEBUG_STOP_BEGIN, /* going back came to where history begins */
    DEBUG_STOP_END,   /* a recording ends here */
};

struct debug_stop {
    enum debug_stop_reason reason;
    int hart;                 /* -1: none in particular */
    struct debug_point point; /* BREAK, WATCH, CATCH */
    uint64_t addr; /* WATCH: first byte inside the range, virtual; CATCH: cause
                      (bit 63: of an interrupt), CSR, or address accessed */
    uint64_t pa;   /* the same, where physical addresses are meant */
    uint32_t access;   /* WATCH, CATCH: DEBUG_READ or DEBUG_WRITE bits */
    uint32_t event;    /* CATCH: DEBUG_CATCH_TRAP and its like */
    unsigned from, to; /* CATCH: modes before and after */
    bool walker;       /* WATCH: page tables are walked, A or D is set */
    char device[32];   /* WATCH: who writes or reads; "": the hart itself */
};

/* One line that says what happened at a point, without its end. */
void debug_stop_text(struct machine *m, const struct debug_stop *s,
                     struct buf *out);

enum debug_event_kind {
    DEBUG_EVENT_STOPPED, /* stop says why */
    DEBUG_EVENT_RUNNING,
    DEBUG_EVENT_RESET,
    DEBUG_EVENT_EXIT, /* the emulator goes: status */
    DEBUG_EVENT_PHASE,
    DEBUG_EVENT_TEXT, /* a point's commands printed text */
    DEBUG_EVENT_SAY,  /* text: a line for whoever debugs */
};

struct debug_event {
    enum debug_event_kind kind;
    struct debug_stop stop;
    int status;
    const char *text; /* SAY; TEXT: len bytes, for the point's owner */
    size_t len;
    const void *owner; /* NULL: it has gone, its commands persist */
};

typedef void debug_listen_fn(void *opaque, const struct debug_event *e);
void debug_listen(struct machine *m, debug_listen_fn *fn, void *opaque);
void debug_unlisten(struct machine *m, debug_listen_fn *fn, void *opaque);

/* What becomes of an interrupt that comes into a step: see run.h. */
enum debug_irq {
    DEBUG_IRQ_SET, /* as debug_step_irq was set; asks */
    DEBUG_IRQ_OVER,
    DEBUG_IRQ_INTO,
    DEBUG_IRQ_MASK,
};
enum debug_irq debug_step_irq(struct machine *m, enum debug_irq set);

/* Masks of harts; see run.h. All harts run when run is ~0 and step 0. */
struct debug_resume {
    uint64_t run, step;
    uint64_t from, to; /* range stepping; equal: one step */
    int hart;          /* whose stop is wanted, -1 */
    enum debug_irq irq;
};

bool debug_running(const struct machine *m);
bool debug_resume(struct machine *m, const struct debug_resume *r,
                  struct err *err); /* err: a reset is required first, ... */
void debug_interrupt(struct machine *m); /* DEBUG_STOP_PAUSE follows */
void debug_last_stop(const struct machine *m, struct debug_stop *out);
const char *debug_state(const struct machine *m); /* "running", "paused" */

/*
 * Semihosting calls that a debugger answers. takes says whether it would now:
 * if anybody does, the machine stops with DEBUG_STOP_CALL and debug_call is
 * the request in the words of gdb's File-I/O. debug_call_answer is an input;
 * true: the call is done, and debug_resume_again goes on; false: there is
 * another request, or there is none.
 */
typedef bool debug_takes_fn(void *opaque);
void debug_on_call(struct machine *m, debug_takes_fn *takes, void *opaque);
void debug_off_call(struct machine *m, const void *opaque);
const char *debug_call(const struct machine *m); /* NULL: none waits */
bool debug_call_answer(struct machine *m, int64_t result, int error);
bool debug_resume_again(struct machine *m, struct err *err);

/* Time ------------------------------------------------------------------- */

uint64_t debug_now(const struct machine *m); /* T */
int64_t debug_virtual_ns(const struct machine *m);
uint64_t debug_hash(const struct machine *m); /* of all guest state and RAM */

/* States in files; machine/saves.h ----------------------------------------- */

typedef void debug_done_fn(void *opaque, const struct err *err); /* NULL: ok */

/* Without done it is waited for; name NULL: one is made of the date. */
bool debug_savevm(struct machine *m, const char *name, debug_done_fn *done,
                  void *opaque, struct err *err);
/* Whoever waits for a done of savevm's or migrate's goes away. */
void debug_done_forget(struct machine *m, const void *opaque);
/* Ends what opaque waits for; its done says so. False: it waits for nothing. */
bool debug_done_cancel(struct machine *m, const void *opaque);
int debug_done_percent(const struct machine *m); /* -1: nothing is written */
bool debug_loadvm(struct machine *m, const char *name, struct err *err);
bool debug_delvm(struct machine *m, const char *name, struct err *err);
/* The run so far as a recording; machine/record.h. */
bool debug_save_run(struct machine *m, const char *path, struct err *err);

/* machine/migrate.h; done as above. */
bool debug_migrate(struct machine *m, const char *uri, debug_done_fn *done,
                   void *opaque, struct err *err);
void debug_migrate_cancel(struct machine *m);
bool debug_migrate_incoming(struct machine *m, const char *uri,
                            struct err *err);
void debug_migration(const struct machine *m, struct buf *out);
void debug_snapshots(const struct machine *m, struct buf *out);

/*
 * Moving in time. The machine must be stopped; it counts as running until a
 * stop tells that it is there. debug_interrupt brings it back to where it
 * was. Whatever is changed in the past, from registers to a reset, begins
 * another future: the one that was is then a branch.
 */
bool debug_past(const struct machine *m); /* inputs come from the log */
bool debug_seeking(const struct machine *m);

/* Back to the last point that was passed, or by one step of the hart. Ends at
 * history's beginning with DEBUG_STOP_BEGIN. */
bool debug_reverse(struct machine *m, int hart, bool step, struct err *err);

/* Looks back for when p, whose owner does not count, was last met. What is
 * found is told as DEBUG_EVENT_SAY, and the stop that follows is where the
 * machine was. */
bool debug_look_back(struct machine *m, const struct debug_point *p,
                     struct err *err);

/* T, "+n", "-n", "n%", "start", "end" or the name of a checkpoint. Beyond the
 * present the machine runs, and may be stopped on the way. */
bool debug_goto(struct machine *m, const char *where, struct err *err);
bool debug_restart(struct machine *m, const char *name, struct err *err);

/* To where the machine stopped before that, or after it again. */
bool debug_back(struct machine *m, bool forward, struct err *err);

/* Runs the last steps of all harts again, and tells each as DEBUG_EVENT_SAY;
 * the stop that follows is where the machine was. */
bool debug_last_steps(struct machine *m, uint64_t steps, struct err *err);

/* Names the present T; NULL: a name is made up. */
bool debug_checkpoint(struct machine *m, const char *name, struct err *err);

bool debug_branch_switch(struct machine *m, unsigned branch, struct err *err);
bool debug_branch_drop(struct machine *m, unsigned branch, struct err *err);

/* Text: how much history there is; named checkpoints; branches. */
void debug_timeline(const struct machine *m, struct buf *out);
void debug_checkpoints(const struct machine *m, struct buf *out);
void debug_branches(const struct machine *m, struct buf *out);

/* The machine ------------------------------------------------------------ */

void debug_reset(struct machine *m); /* asks for a system reset */
void debug_reset_images(struct machine *m, struct err *err); /* now: vRun */
void debug_powerdown(struct machine *m);
void debug_quit(struct machine *m, int status);
/* The end of the guest: 0 ends the emulator, 1 stops it; -1: just ask. */
bool debug_end_stops(struct machine *m, int on);
struct chardevs *debug_chardevs(const struct machine *m);
struct loop *debug_loop(const struct machine *m);
const char *debug_name(const struct machine *m); /* -name */

/* Devices: name, QEMU type (NULL: not in qtree), and its lines of text. */
bool debug_dev(const struct machine *m, size_t n, const char **name,
               const char **type);
void debug_dev_describe(const struct machine *m, size_t n, struct buf *out);
void debug_dev_fields(const struct machine *m, size_t n, struct buf *out);

/* Interrupt controllers and lines, for `info irq`: text lines. */
void debug_irqs(const struct machine *m, struct buf *out);

/* The translator: numbers about it; what it made of the instruction at va. */
void debug_jit(const struct machine *m, struct buf *out);
bool debug_jit_code(const struct machine *m, uint64_t va, struct buf *out);

/* Start-up: phases are named; steps within them too -------------------------*/

/* In QEMU's order; the same numbers as enum phase. */
int debug_phase(const struct machine *m);
const char *debug_phase_name(int phase);

enum debug_walk_how {
    DEBUG_PHASE_STEP,  /* one named step */
    DEBUG_PHASE_NEXT,  /* up to the next phase */
    DEBUG_PHASE_UNTIL, /* up to the step or phase called name */
    DEBUG_PHASE_RUN,   /* to machine-ready, and run unless -S */
};
bool debug_phase_go(struct machine *m, enum debug_walk_how how,
                    const char *name, struct err *err);
void debug_phase_where(const struct machine *m, struct buf *out); /* `phase` */
void debug_phase_tree(const struct machine *m,
                      struct buf *out); /* info phase */

/* init.c gives these at start. */
struct phase_ops {
    bool (*go)(void *opaque, enum debug_walk_how how, const char *name,
               struct err *err);
    void (*where)(void *opaque, struct buf *out);
    void (*tree)(void *opaque, struct buf *out);
};

#endif
