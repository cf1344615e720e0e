/*
 * load: posts pictures over kept connections, as fast as they are answered or at a pace, and notes
 * how long each answer took. One thread and epoll, so that it is far from being the limit.
 *
 *     load HOST PORT SECONDS FPS http|lines < JOB
 *
 * FPS is that of each connection; with 0, the next request follows the answer. JOB is numbers (32
 * bits, little-endian) and blobs (a number and as many bytes): the number of connections and that
 * of pictures; for each connection a blob that is sent first; for each connection and each picture
 * the blob before the picture; the pictures; the blob behind each picture. In the blob before the
 * picture, ten '#' become the request's number on its connection.
 *
 * An answer is one of HTTP, or a line of a chunked reply; any that does not say 200 to 299 ends the
 * run. To stdout goes, as doubles: the seconds from the first request to the last answer, the CPU
 * seconds of this process, and the seconds of every answer since its request was due.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MAX_REPLY (64 * 1024)
#define MAX_HEAD 4096
/* Seconds for the answers that are still due at the end. */
#define PATIENCE 10.0

typedef struct {
    char *bytes;
    uint32_t size;
} Blob;

typedef struct {
    int fd;
    Blob preamble;
    Blob *heads;
    uint64_t number;
    /* What is left to send; none while an answer is waited for. */
    struct iovec parts[4];
    int first, count;
    /* The blob before the picture, with its number in it. */
    char head[MAX_HEAD];
    char reply[MAX_REPLY];
    size_t held;
    int waiting, writing;
    double due;
} Connection;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static void fail(const char *what, const char *said, size_t size) {
    fprintf(stderr, "load: %s: %.*s\n", what, (int)(size > 600 ? 600 : size), said);
    exit(1);
}

static uint32_t read_number(void) {
    uint32_t number;
    if (fread(&number, sizeof number, 1, stdin) != 1) fail("job", "cut off", 7);
    return number;
}

static Blob read_blob(void) {
    Blob blob = {0, read_number()};
    blob.bytes = malloc(blob.size + 1);
    if (fread(blob.bytes, 1, blob.size, stdin) != blob.size) fail("job", "cut off", 7);
    blob.bytes[blob.size] = 0;
    return blob;
}

static void add(Connection *c, Blob blob) {
    if (blob.size) c->parts[c->count++] = (struct iovec){blob.bytes, blob.size};
}

/* Have the next request ready to be sent. */
static void prepare(Connection *c, uint32_t picture, const Blob *bodies, Blob tail) {
    Blob head = {c->head, c->heads[picture].size};
    if (head.size >= MAX_HEAD) fail("head", "too long", 8);
    memcpy(c->head, c->heads[picture].bytes, head.size + 1);
    char *mark = strstr(c->head, "##########");
    if (mark) {
        char digits[24];
        snprintf(digits, sizeof digits, "%010llu", (unsigned long long)c->number);
        memcpy(mark, digits, 10);
    }
    c->first = c->count = 0;
    if (!c->number) add(c, c->preamble);
    add(c, head);
    add(c, bodies[picture]);
    add(c, tail);
    c->number++;
    c->waiting = 1;
}

/* Send what can be sent now; ask epoll for more room only where there is none. */
static void push(Connection *c, int epoll) {
    while (c->first < c->count) {
        ssize_t sent = writev(c->fd, c->parts + c->first, c->count - c->first);
        if (sent < 0 && errno == EAGAIN) break;
        if (sent < 0) fail("send", strerror(errno), strlen(strerror(errno)));
        while (c->first < c->count && (size_t)sent >= c->parts[c->first].iov_len)
            sent -= c->parts[c->first++].iov_len;
        if (c->first < c->count) {
            c->parts[c->first].iov_base = (char *)c->parts[c->first].iov_base + sent;
            c->parts[c->first].iov_len -= sent;
        }
    }
    int writing = c->first < c->count;
    if (writing != c->writing) {
        struct epoll_event event = {EPOLLIN | (writing ? EPOLLOUT : 0), {.ptr = c}};
        epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
        c->writing = writing;
    }
}

static void check_status(const char *digits, Connection *c) {
    int status = atoi(digits);
    if (status < 200 || status > 299) fail("the answer was", c->reply, c->held);
}

/* Return how many bytes of `reply` are one whole answer of HTTP, 0 for none. */
static size_t http_answer(Connection *c) {
    c->reply[c->held] = 0;
    char *end = strstr(c->reply, "\r\n\r\n");
    if (!end) return 0;
    char *length = strcasestr(c->reply, "\r\ncontent-length:");
    if (!length || length > end) fail("expected a Content-Length", c->reply, c->held);
    size_t size = end + 4 - c->reply + strtoul(length + 17, 0, 10);
    if (size > MAX_REPLY - 1) fail("the answer is too long", c->reply, c->held);
    if (c->held < size) return 0;
    check_status(c->reply + 9, c);
    return size;
}

/* The same of a JSON object on a line of a chunked reply, with what comes before it. */
static size_t line_answer(Connection *c) {
    c->reply[c->held] = 0;
    if (c->number == 1 && c->held > 12 && !strncmp(c->reply, "HTTP/", 5))
        check_status(c->reply + 9, c);
    char *end = strstr(c->reply, "}\n");
    if (!end) return 0;
    char *status = strstr(c->reply, "\"status\":");
    if (!status || status > end) fail("expected a status", c->reply, c->held);
    check_status(status + 9, c);
    return end + 2 - c->reply;
}

int main(int argc, char **argv) {
    if (argc != 6) fail("expected", "HOST PORT SECONDS FPS http|lines", 32);
    double seconds = atof(argv[3]), period = atof(argv[4]) > 0 ? 1 / atof(argv[4]) : 0;
    size_t (*answer)(Connection *) = strcmp(argv[5], "lines") ? http_answer : line_answer;
    uint32_t connections = read_number(), pictures = read_number();
    Connection *all = calloc(connections, sizeof *all);
    for (uint32_t i = 0; i < connections; i++) all[i].preamble = read_blob();
    for (uint32_t i = 0; i < connections; i++) {
        all[i].heads = calloc(pictures, sizeof(Blob));
        for (uint32_t k = 0; k < pictures; k++) all[i].heads[k] = read_blob();
    }
    Blob *bodies = calloc(pictures, sizeof *bodies);
    for (uint32_t k = 0; k < pictures; k++) bodies[k] = read_blob();
    Blob tail = read_blob();

    int epoll = epoll_create1(0);
    struct sockaddr_in address = {AF_INET, htons(atoi(argv[2])), {0}, {0}};
    if (inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) fail("host", argv[1], 40);
    for (uint32_t i = 0; i < connections; i++) {
        int yes = 1, fd = all[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof address))
            fail("connect", strerror(errno), strlen(strerror(errno)));
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        fcntl(fd, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {EPOLLIN, {.ptr = &all[i]}};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    }

    size_t room = 1 << 16, done = 0;
    double *took = malloc(room * sizeof *took);
    double started = now(), end = started + seconds, last = started;
    for (uint32_t i = 0; i < connections; i++) all[i].due = started + period * i / connections;
    for (;;) {
        double time = now(), next = end + PATIENCE;
        int waiting = 0;
        for (uint32_t i = 0; i < connections; i++) {
            Connection *c = &all[i];
            if (!c->waiting && c->due <= time && time < end) {
                prepare(c, c->number % pictures, bodies, tail);
                if (!period) c->due = time;
                push(c, epoll);
            }
            waiting += c->waiting;
            if (!c->waiting && c->due < end && c->due < next) next = c->due;
        }
        if (!waiting && (time >= end || next > end)) break;
        if (time > end + PATIENCE) fail("an answer did not come", "", 0);
        struct epoll_event events[64];
        double left = next - now();
        struct timespec wait = {(time_t)(left > 0 ? left : 0), 0};
        wait.tv_nsec = left > 0 ? (long)((left - wait.tv_sec) * 1e9) : 0;
        int count = epoll_pwait2(epoll, events, 64, &wait, 0);
        for (int i = 0; i < count; i++) {
            Connection *c = events[i].data.ptr;
            if (events[i].events & EPOLLOUT) push(c, epoll);
            if (!(events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) continue;
            ssize_t got = read(c->fd, c->reply + c->held, MAX_REPLY - 1 - c->held);
            if (got < 0 && errno == EAGAIN) continue;
            if (got <= 0) fail("the connection ended", c->reply, c->held);
            c->held += got;
            /* Behind a line there is the end of its chunk. */
            if (!c->waiting && answer == http_answer) fail("unasked", c->reply, c->held);
            if (!c->waiting) continue;
            size_t size = answer(c);
            if (!size) continue;
            memmove(c->reply, c->reply + size, c->held - size);
            c->held -= size;
            last = now();
            if (done == room) took = realloc(took, (room *= 2) * sizeof *took);
            took[done++] = last - c->due;
            c->waiting = 0;
            c->due = period ? c->due + period : last;
        }
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
                 (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
    double facts[2] = {last - started, cpu};
    fwrite(facts, sizeof facts[0], 2, stdout);
    fwrite(took, sizeof *took, done, stdout);
    return 0;
}
