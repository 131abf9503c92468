/* SPDX-License-Identifier: MIT */
/* chardev_test.c - byte streams: requests, files, terminals. */
#include <pty.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#include "tests/unit/chardev_rig.h"

TestSuite(chardev, .init = begin, .fini = end, .timeout = 20);

/* Asking for one ----------------------------------------------------------- */

Test(chardev, wrong_requests_are_refused_in_qemus_words)
{
    refused("nosuch,id=a", "'nosuch' is not a valid char driver name");
    refused("null", "chardev: no id specified");
    refused("id=a", "chardev: \"a\" missing backend");
    refused("null,id=1a", "Parameter 'id' expects an identifier");
    refused("null,id=a,typo=1", "Invalid parameter 'typo'");
    refused("null,id=a,mux=2", "Parameter 'mux' expects 'on' or 'off'");
    refused("file,id=a", "chardev: file: no filename given");
    refused("file,id=a,path=/nosuch/x",
            "Could not open '/nosuch/x': No such file or directory");
    refused("pipe,id=a,path=nosuch",
            "Could not open 'nosuch': No such file or directory");
    refused("ringbuf,id=a,size=100",
            "size of ringbuf chardev must be power of two");
    refused("socket,id=a", "None of 'path' and 'host' option given");
    refused("socket,id=a,host=x", "chardev: socket: no port given");
    refused("socket,id=a,port=1,wait=on", "'wait' option is incompatible with "
                                          "socket in client connect mode");
    refused("socket,id=a,port=0,server=on,reconnect=1",
            "'reconnect' option is incompatible with socket in server "
            "listen mode");
    cr_assert_null(chardev_nth(set, 0));
}

Test(chardev, id_is_taken_once)
{
    cr_assert_not_null(add("null,id=a"));
    refused("null,id=a", "Duplicate ID 'a' for chardev");
}

Test(chardev, refused_request_leaves_no_file)
{
    chardevs_free(set);
    set = chardevs_new(l); /* still starting up */
    refused("file,id=a,path=made,typo=1", "Invalid parameter 'typo'");
    refused("null,id=a,logfile=made,typo=1", "Invalid parameter 'typo'");
    refused("socket,id=a,path=made,server=on,typo=1",
            "Invalid parameter 'typo'");
    refused("pty,id=a,path=made,typo=1", "Invalid parameter 'typo'");
    cr_assert_not_null(add("file,id=a,path=made"));
}

Test(chardev, none_is_no_chardev_and_no_error)
{
    strcpy(err.text, "old");
    cr_assert_null(brief("none"));
    cr_assert_str_eq(err.text, "");
    cr_assert_null(brief("nosuch"));
    cr_assert_str_eq(err.text, "'nosuch' is not a valid char driver");
    cr_assert_null(brief("chardev:nosuch"));
    cr_assert_str_eq(err.text, "Chardev 'nosuch' not found");
}

Test(chardev, short_form_may_name_another)
{
    struct chardev *c = add("null,id=con");

    cr_assert_eq(brief("chardev:con"), c);
    cr_assert_null(brief("mon:chardev:con"));
    cr_assert_str_eq(err.text, "Chardev 'con' is not a mux");
}

Test(chardev, short_forms_have_their_label_and_file_name)
{
    static const struct {
        const char *text, *filename;
    } forms[] = {
        { "null", "null" },
        { "vc", "vc" },
        { "vc:80Cx24C", "vc" },
        { "file:out,with,commas", "file" },
        { "unix:sock,server,nowait", "disconnected:unix:sock,server=on" },
        { "unix:sock,server=on,wait=off", "disconnected:unix:sock,server=on" },
        { "ringbuf,size=16", "ringbuf" },
    };

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct chardev *c = brief(forms[i].text);

        cr_assert_not_null(c, "%s: %s", forms[i].text, err.text);
        cr_assert_str_eq(chardev_id(c), "serial0");
        cr_assert_str_eq(chardev_filename(c), forms[i].filename);
        cr_assert(chardev_remove(set, c, &err));
        loop_turn(l, 0);
    }
    unlink("out,with,commas");
}

Test(chardev, help_lists_the_back_ends)
{
    struct buf b = { 0 };

    chardev_help(&b);
    cr_assert(strstr(buf_text(&b), "Available chardev backend types:\n"));
    cr_assert(strstr(buf_text(&b), "\n  socket\n"));
    buf_free(&b);
}

/* Front ends --------------------------------------------------------------- */

Test(chardev, second_front_end_is_refused)
{
    struct front a, b = { 0 };
    struct chardev *c = add("null,id=n");

    join(&a, c);
    cr_assert_not(chardev_join(c, &front_fns, &b, &err));
    cr_assert_str_eq(err.text, "Device 'n' is in use");
    cr_assert_not(chardev_remove(set, c, &err));
    cr_assert_str_eq(err.text, "Chardev 'n' is busy");
    leave(&a);
    join(&b, c);
    leave(&b);
}

Test(chardev, opened_is_held_back_until_start_up_is_over)
{
    struct front a;

    chardevs_free(set);
    set = chardevs_new(l);
    join(&a, add("null,id=n"));
    expect_nothing(&a);
    chardevs_mux_open(set);
    expect(&a, "<open>");
    chardevs_mux_open(set);
    expect_nothing(&a);
    leave(&a);
    join(&a, chardev_find(set, "n"));
    expect(&a, "<open>");
    leave(&a);
}

/* Memory and files --------------------------------------------------------- */

Test(chardev, ringbuf_keeps_the_last_bytes)
{
    struct chardev *c = add("ringbuf,id=r,size=4");
    char data[8] = "";

    put(c, "abc");
    put(c, "def");
    cr_assert(chardev_is_ring(c));
    cr_assert_eq(chardev_ring_read(c, data, 3), 3);
    cr_assert_str_eq(data, "cde");
    cr_assert_eq(chardev_ring_read(c, data, 8), 1);
    cr_assert_eq(chardev_ring_read(c, data, 8), 0);
}

static void expect_file(const char *path, const char *text)
{
    char got[256] = "";
    int fd = open(path, O_RDONLY);

    cr_assert_geq(fd, 0);
    cr_assert_geq(read(fd, got, sizeof got - 1), 0);
    close(fd);
    cr_assert_str_eq(got, text);
}

Test(chardev, file_is_cut_or_appended_to)
{
    struct chardev *c = add("file,id=a,path=f");

    put(c, "one");
    chardev_remove(set, c, NULL);
    c = add("file,id=a,path=f");
    put(c, "two");
    chardev_remove(set, c, NULL);
    c = add("file,id=a,path=f,append=on");
    put(c, "three");
    chardev_remove(set, c, NULL);
    expect_file("f", "twothree");
    unlink("f");
}

Test(chardev, file_has_an_input_of_its_own)
{
    struct front a;
    int fd = open("in", O_WRONLY | O_CREAT, 0600);

    cr_assert_eq(write(fd, "typed", 5), 5);
    close(fd);
    join(&a, add("file,id=a,path=out,input-path=in"));
    expect(&a, "<open>typed<close>");
    put(a.c, "still written");
    expect_file("out", "still written");
    leave(&a);
    unlink("in");
    unlink("out");
}

Test(chardev, logfile_gets_what_is_written)
{
    struct chardev *c = add("null,id=a,logfile=log");

    put(c, "one");
    chardev_remove(set, c, NULL);
    c = add("null,id=a,logfile=log,logappend=on");
    put(c, "two");
    chardev_remove(set, c, NULL);
    expect_file("log", "onetwo");
    unlink("log");
}

Test(chardev, pipe_is_a_pair_of_fifos)
{
    struct front a;

    cr_assert_eq(mkfifo("p.in", 0600), 0);
    cr_assert_eq(mkfifo("p.out", 0600), 0);
    join(&a, brief("pipe:p"));
    int in = open("p.in", O_RDWR), out = open("p.out", O_RDWR);

    cr_assert_eq(write(in, "to", 2), 2);
    expect(&a, "<open>to");
    put(a.c, "from");
    expect_fd(out, "from");
    leave(&a);
    close(in);
    close(out);
    unlink("p.in");
    unlink("p.out");
}

/* A terminal --------------------------------------------------------------- */

Test(chardev, pty_opens_when_somebody_opens_it)
{
    struct front a;
    char link[128] = "";

    join(&a, brief("pty:tty"));
    cr_assert_gt(readlink("tty", link, sizeof link - 1), 0);
    char *name = xasprintf("pty:%s", link);
    cr_assert_str_eq(chardev_filename(a.c), name);
    free(name);
    cr_assert_eq(chardev_write(a.c, "lost", 4), 0, "nobody is there");
    expect_nothing(&a);

    for (int i = 0; i < 2; i++) {
        int fd = open("tty", O_RDWR | O_NOCTTY);

        expect(&a, "<open>");
        put(a.c, "login:\n");
        expect_fd(fd, "login:\n");
        say(fd, "root\n");
        expect(&a, "root\n");
        close(fd);
        expect(&a, "<close>");
    }
    leave(&a);
}

/* stdio -------------------------------------------------------------------- */

static int in_pipe[2], out_pipe[2];

static void redirect(void)
{
    cr_assert_eq(pipe(in_pipe), 0);
    cr_assert_eq(pipe(out_pipe), 0);
    dup2(in_pipe[0], STDIN_FILENO);
    dup2(out_pipe[1], STDOUT_FILENO);
}

Test(chardev, stdio_goes_on_writing_after_the_end_of_input)
{
    struct front a;

    redirect();
    join(&a, brief("stdio"));
    cr_assert_not(chardev_is_tty(a.c));
    say(in_pipe[1], "typed");
    expect(&a, "<open>typed");
    close(in_pipe[1]);
    close(in_pipe[0]);
    expect(&a, "<close>");
    expect_nothing(&a);
    put(a.c, "printed");
    expect_fd(out_pipe[0], "printed");
    leave(&a);
}

Test(chardev, stdio_does_not_change_the_shells_descriptors)
{
    redirect();
    cr_assert_not_null(brief("stdio"));
    cr_assert_eq(fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK, 0);
    cr_assert_eq(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK, 0);
}

Test(chardev, stdio_has_one_user)
{
    struct chardev *c;

    redirect();
    c = add("stdio,id=a");
    refused("stdio,id=b", "cannot use stdio by multiple character devices");
    chardev_remove(set, c, NULL);
    cr_assert_not_null(add("stdio,id=b"));
}

Test(chardev, mon_stdio_is_a_mux)
{
    bool mon = false;

    redirect();
    struct chardev *c = chardev_short(set, "serial0", "mon:stdio", &mon, &err);

    cr_assert(mon);
    cr_assert_str_eq(chardev_filename(c), "mux");
    cr_assert_str_eq(chardev_filename(chardev_nth(set, 0)), "stdio");
    cr_assert_str_eq(chardev_id(chardev_nth(set, 0)), "serial0-base");
    cr_assert_eq(chardev_nth(set, 1), c);
    cr_assert_null(chardev_nth(set, 2));
}

/* A program on a terminal of its own, the master of which is returned. */
static pid_t on_terminal(const char *form, int *master)
{
    pid_t pid = forkpty(master, NULL, NULL, NULL);

    if (pid != 0)
        return pid;
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    chardevs_free(set);
    set = chardevs_new(l);
    struct chardev *c = brief(form);
    struct front a;

    if (c == NULL || !chardev_is_tty(c))
        _exit(1);
    join(&a, c);
    buf_clear(&a.seen); /* a mux has told who has the keyboard */
    put(c, "ready");
    while (a.seen.len == 0)
        loop_turn(l, -1);
    exit(a.seen.data[0] == 'q'
             ? 7
             : 8); /* as die() does: nothing is closed first */
}

static tcflag_t local_mode(int master)
{
    struct termios mode;

    cr_assert_eq(tcgetattr(master, &mode), 0);
    return mode.c_lflag & (ICANON | ECHO | ISIG);
}

static void way_out(const char *form, const char *key, int signo, int status)
{
    int master, got;
    pid_t pid = on_terminal(form, &master);

    expect_fd(master, "ready");
    cr_assert_eq(local_mode(master), strcmp(form, "stdio") == 0 ? ISIG : 0);
    if (signo != 0)
        kill(pid, signo);
    else
        say(master, key);
    cr_assert_eq(waitpid(pid, &got, 0), pid);
    cr_assert_eq(got, status, "%x", (unsigned)got);
    cr_assert_eq(local_mode(master), ICANON | ECHO | ISIG);
    close(master);
}

Test(chardev, terminal_gets_its_mode_back_on_every_way_out)
{
    way_out("stdio", "q", 0, 7 << 8);
    way_out("mon:stdio", "q", 0, 7 << 8);
    way_out("stdio", "", SIGTERM, SIGTERM);
    way_out("mon:stdio", "", SIGHUP, SIGHUP);
    way_out("stdio", "\3", 0, SIGINT);
}
