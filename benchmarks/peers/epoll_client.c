/* What N sessions cost at least: a client without Python, without a library but zlib.
 *
 *     epoll_client PORT N
 *
 * Knows Raw, CopyRect and Zlib, keeps a framebuffer for every session and one request armed. It
 * says "ready" once every session has had an update; "go SECONDS" on stdin is answered by JSON on
 * the updates and CPU seconds of so long a time, and that ends it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "stream.h"

struct session {
    int socket, inside;
    unsigned left; /* rectangles of this update */
    uint32_t width, height, *screen;
    unsigned char *in;
    size_t start, end, size, needed;
    uint64_t updates;
    z_stream inflater;
};

static uint64_t updates;
static unsigned waiting; /* sessions without an update */
static unsigned char *scratch;
static size_t scratch_size;

static unsigned u16(const unsigned char *at) { return (unsigned)(at[0] << 8 | at[1]); }
static uint32_t u32(const unsigned char *at) { return (uint32_t)u16(at) << 16 | u16(at + 2); }

static void must_read(int socket, void *data, size_t length)
{
    if (recv(socket, data, length, MSG_WAITALL) != (ssize_t)length) die("the handshake broke off");
}

static void must_write(int socket, const void *data, size_t length)
{
    if (send(socket, data, length, MSG_NOSIGNAL) != (ssize_t)length) die("the server does not read");
}

static void ask(struct session *session, int incremental)
{
    unsigned w = session->width, h = session->height;
    unsigned char message[10] = {3, (unsigned char)incremental, 0, 0, 0, 0,
        (unsigned char)(w >> 8), (unsigned char)w, (unsigned char)(h >> 8), (unsigned char)h};
    must_write(session->socket, message, sizeof message);
}

static void open_session(struct session *session, uint16_t port)
{
    static const unsigned char SETUP[] = {
        0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0, /* SetPixelFormat */
        2, 0, 0, 3, 0, 0, 0, 6, 0, 0, 0, 1, 0, 0, 0, 0 /* SetEncodings */
    };
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    unsigned char data[24], name[1024];
    int one = 1;
    session->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(session->socket, (struct sockaddr *)&address, sizeof address)) die("no server");
    setsockopt(session->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    must_read(session->socket, data, 12);
    must_write(session->socket, "RFB 003.008\n", 12);
    must_read(session->socket, data, 2);
    must_write(session->socket, "\1", 1);
    must_read(session->socket, data, 4);
    must_write(session->socket, "\1", 1);
    must_read(session->socket, data, 24);
    if (u32(data + 20) > sizeof name) die("a long name");
    must_read(session->socket, name, u32(data + 20));
    must_write(session->socket, SETUP, sizeof SETUP);
    session->width = u16(data);
    session->height = u16(data + 2);
    session->screen = calloc((size_t)session->width * session->height, 4);
    session->size = 256 * 1024;
    session->in = malloc(session->size);
    session->needed = 1;
    inflateInit(&session->inflater);
    fcntl(session->socket, F_SETFL, O_NONBLOCK);
    ask(session, 0);
}

static void paint(struct session *session, const unsigned char *pixels, const unsigned char *head)
{
    unsigned x = u16(head), y = u16(head + 2), width = u16(head + 4), height = u16(head + 6);
    for (unsigned row = 0; row < height; row++)
        memcpy(session->screen + (size_t)(y + row) * session->width + x,
               pixels + 4 * (size_t)row * width, 4 * (size_t)width);
}

static void move(struct session *session, const unsigned char *from, const unsigned char *head)
{
    unsigned x = u16(head), y = u16(head + 2), width = u16(head + 4), height = u16(head + 6);
    unsigned from_x = u16(from), from_y = u16(from + 2);
    for (unsigned i = 0; i < height; i++) {
        unsigned row = from_y < y ? height - 1 - i : i;
        memmove(session->screen + (size_t)(y + row) * session->width + x,
                session->screen + (size_t)(from_y + row) * session->width + from_x,
                4 * (size_t)width);
    }
}

static void unpack(struct session *session, const unsigned char *data, size_t length, size_t size)
{
    if (size > scratch_size) scratch = realloc(scratch, scratch_size = size);
    session->inflater.next_in = (unsigned char *)data;
    session->inflater.avail_in = (uInt)length;
    session->inflater.next_out = scratch;
    session->inflater.avail_out = (uInt)size;
    if (inflate(&session->inflater, Z_SYNC_FLUSH) != Z_OK || session->inflater.avail_out)
        die("a broken zlib stream");
}

/* Decode the rectangle at `head`; return its length, which counts if there are as many bytes. */
static size_t rectangle(struct session *session, const unsigned char *head, size_t there)
{
    if (there < 12) return 12;
    unsigned x = u16(head), y = u16(head + 2), width = u16(head + 4), height = u16(head + 6);
    size_t size = 4 * (size_t)width * height, length;
    if (x + width > session->width || y + height > session->height) die("off the screen");
    switch (u32(head + 8)) {
    case 0:
        length = 12 + size;
        if (there >= length) paint(session, head + 12, head);
        return length;
    case 1:
        if (there >= 16) move(session, head + 12, head);
        return 16;
    case 6:
        if (there < 16) return 16;
        length = 16 + (size_t)u32(head + 12);
        if (there >= length) {
            unpack(session, head + 16, length - 16, size);
            paint(session, scratch, head);
        }
        return length;
    default: die("an unknown encoding"); return 0;
    }
}

static void decode(struct session *session)
{
    for (;;) {
        const unsigned char *at = session->in + session->start;
        size_t there = session->end - session->start, length = 4;
        if (session->inside) {
            length = rectangle(session, at, there);
        } else if (there >= 4) {
            if (at[0]) die("a message that is no update");
            session->inside = 1;
            session->left = u16(at + 2) + 1;
        }
        session->needed = length;
        if (there < length) return;
        session->start += length;
        if (--session->left) continue;
        session->inside = 0;
        waiting -= session->updates++ == 0;
        updates++;
        ask(session, 1);
    }
}

static void receive(struct session *session)
{
    if (session->start == session->end) session->start = session->end = 0;
    if (session->size - session->start < session->needed || session->end == session->size) {
        memmove(session->in, session->in + session->start, session->end - session->start);
        session->end -= session->start;
        session->start = 0;
        if (session->size < session->needed + 16384)
            session->in = realloc(session->in, session->size = session->needed + 16384);
    }
    ssize_t n = recv(session->socket, session->in + session->end, session->size - session->end, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) die("the server is gone");
    session->end += (size_t)n;
    if (session->end - session->start >= session->needed) decode(session);
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    unsigned n = (unsigned)atoi(argv[2]);
    struct session *sessions = calloc(n, sizeof *sessions);
    int poller = epoll_create1(0), said = 0;
    struct epoll_event event = {EPOLLIN, {NULL}}, events[64];
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    waiting = n;
    for (unsigned i = 0; i < n; i++) {
        open_session(&sessions[i], (uint16_t)atoi(argv[1]));
        event.data.ptr = &sessions[i];
        epoll_ctl(poller, EPOLL_CTL_ADD, sessions[i].socket, &event);
    }
    double wall = 0, cpu = 0, until = 0;
    for (;;) {
        double now = now_seconds();
        if (until && now >= until) break;
        int count = epoll_wait(poller, events, 64, until ? (int)(1e3 * (until - now)) + 1 : -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr) {
                receive(events[i].data.ptr);
            } else {
                char line[64] = {0};
                if (read(STDIN_FILENO, line, sizeof line - 1) <= 0) return 1;
                wall = now_seconds();
                cpu = cpu_seconds();
                until = wall + atof(line + 3);
                updates = 0;
            }
        }
        if (!waiting && !said) {
            said = printf("ready\n");
            fflush(stdout);
        }
    }
    printf("{\"updates\": %lu, \"cpu\": %.6f, \"wall\": %.6f, \"lag_p99\": null}\n", updates,
           cpu_seconds() - cpu, now_seconds() - wall);
    return 0;
}
