/* A VNC server that replays one stream to any number of clients, each from its beginning.
 *
 *     replayer STREAM [FPS]
 *
 * The first line on stdout is the port on 127.0.0.1. The first update is sent once, the others in a
 * loop for ever, from the first "stats" on: many clients come in at the price of one update each.
 * Without FPS a client gets one whenever it asks; with FPS each has its own ticks, and one that has
 * not yet asked for the next update when its tick comes has missed that tick.
 *
 * "stats" on stdin is answered by JSON on what happened since the last time; the end of stdin ends it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "stream.h"

enum { VERSION, SECURITY, JOIN, OPEN };

struct client {
    int socket, stage;
    unsigned char in[4096];
    size_t in_length, skip;
    struct piece out;    /* what is being sent */
    uint32_t next;       /* update */
    int asked, writable; /* epoll waits for room in the socket */
    double due;          /* next tick */
    struct client *after;
};

static const struct piece BANNER = {(const unsigned char *)"RFB 003.008\n", 12};
static const struct piece TYPES = {(const unsigned char *)"\1\1", 2};
static const struct piece ACCEPTED = {(const unsigned char *)"\0\0\0\0", 4};

static struct stream stream;
static struct client *clients;
static int poller, timer, listener, started;
static double interval;
static struct {
    uint64_t sent, bytes, due, missed;
    double cpu, wall;
} stats;

static void watch(struct client *client, int writable)
{
    struct epoll_event event = {EPOLLIN | (writable ? EPOLLOUT : 0), {client}};
    if (client->writable != writable)
        epoll_ctl(poller, EPOLL_CTL_MOD, client->socket, &event);
    client->writable = writable;
}

static void drop(struct client *client)
{
    struct client **at = &clients;
    while (*at != client) at = &(*at)->after;
    *at = client->after;
    close(client->socket);
    free(client);
}

/* Returns 0 if the client is gone. */
static int flush_out(struct client *client)
{
    while (client->out.length) {
        ssize_t n = send(client->socket, client->out.data, client->out.length, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) break;
        if (n < 0) return 0;
        client->out.data += n;
        client->out.length -= (uint32_t)n;
        stats.bytes += (uint64_t)n;
    }
    watch(client, client->out.length > 0);
    return 1;
}

static int send_piece(struct client *client, struct piece piece)
{
    client->out = piece;
    return flush_out(client);
}

static int send_update(struct client *client)
{
    struct piece update = stream.updates[client->next++];
    if (client->next == stream.count) client->next = stream.count > 1;
    client->asked = 0;
    stats.sent++;
    return send_piece(client, update);
}

/* Whether a client that has asked is answered at once; else by the next tick, or by the start. */
static int at_once(const struct client *client)
{
    return !client->out.length && (!client->next || (started && !interval));
}

/* How long the message at the front of the input is, 0 if that cannot be told yet. */
static size_t message_length(const unsigned char *in, size_t length)
{
    switch (in[0]) {
    case 0: return 20;
    case 2: return length < 4 ? 0 : 4 + 4 * (size_t)(in[2] << 8 | in[3]);
    case 3: return 10;
    case 4: return 8;
    case 5: return 6;
    case 150: return 10;
    case 248: return length < 9 ? 0 : 9 + (size_t)in[8];
    case 6:
        if (length < 8) return 0;
        return 8 + ((size_t)in[4] << 24 | (size_t)in[5] << 16 | (size_t)in[6] << 8 | in[7]);
    default: return (size_t)-1;
    }
}

/* Returns 0 if the client is gone or speaks nonsense. */
static int obey(struct client *client)
{
    static const size_t LENGTHS[] = {12, 1, 1};
    for (;;) {
        if (client->skip) {
            size_t n = client->skip < client->in_length ? client->skip : client->in_length;
            client->skip -= n;
            client->in_length -= n;
            memmove(client->in, client->in + n, client->in_length);
        }
        if (!client->in_length || client->skip) return 1;
        size_t length = client->stage < OPEN ? LENGTHS[client->stage]
                                             : message_length(client->in, client->in_length);
        if (length == (size_t)-1) return 0;
        if (length == 0 || (client->stage < OPEN && client->in_length < length)) return 1;
        if (client->stage == OPEN && client->in[0] == 3) {
            if (client->in_length < length) return 1;
            client->asked = 1;
            if (!client->due && interval && started) client->due = now_seconds();
            if (at_once(client) && !send_update(client)) return 0;
        }
        client->skip = length;
        if (client->stage < OPEN) {
            struct piece answer[] = {TYPES, ACCEPTED, stream.init};
            if (!send_piece(client, answer[client->stage++])) return 0;
        }
    }
}

static int serve(struct client *client, uint32_t events)
{
    if (events & EPOLLOUT) {
        if (!flush_out(client)) return 0;
        if (client->asked && at_once(client) && !send_update(client)) return 0;
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        ssize_t n = recv(client->socket, client->in + client->in_length,
                         sizeof client->in - client->in_length, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN)) return 0;
        if (n > 0) client->in_length += (size_t)n;
        return obey(client);
    }
    return 1;
}

static void take_client(void)
{
    int one = 1, socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (socket < 0) return;
    struct client *client = calloc(1, sizeof *client);
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    client->socket = socket;
    client->after = clients;
    clients = client;
    struct epoll_event event = {EPOLLIN, {client}};
    epoll_ctl(poller, EPOLL_CTL_ADD, socket, &event);
    if (!send_piece(client, BANNER)) drop(client);
}

/* Everybody whose tick has come gets an update or has missed it; sets the timer for the next tick. */
static void tick(void)
{
    double now = now_seconds(), next = now + interval;
    for (struct client *client = clients, *after; client; client = after) {
        after = client->after;
        if (!client->due) continue;
        int gone = 0;
        while (client->due <= now && !gone) {
            stats.due++;
            client->due += interval;
            if (client->asked && !client->out.length)
                gone = !send_update(client);
            else
                stats.missed++;
        }
        if (client->due < next) next = client->due;
        if (gone) drop(client);
    }
    struct itimerspec when = {{0, 0}, {(time_t)next, (long)((next - (double)(time_t)next) * 1e9)}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void tell(void)
{
    double cpu = cpu_seconds(), wall = now_seconds();
    printf("{\"sent\": %lu, \"bytes\": %lu, \"due\": %lu, \"missed\": %lu, \"cpu\": %.6f, \"wall\": %.6f}\n",
           stats.sent, stats.bytes, stats.due, stats.missed, cpu - stats.cpu, wall - stats.wall);
    fflush(stdout);
    memset(&stats, 0, sizeof stats);
    stats.cpu = cpu;
    stats.wall = wall;
}

/* From now on updates follow each other. */
static void start(void)
{
    double now = now_seconds();
    started = 1;
    for (struct client *client = clients, *after; client; client = after) {
        after = client->after;
        if (interval && client->next) client->due = now;
        if (client->asked && at_once(client) && !send_update(client)) drop(client);
    }
    if (interval) tick();
}

static void listen_here(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 512))
        die("cannot listen");
    getsockname(listener, (struct sockaddr *)&address, &length);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc < 2) return 2;
    stream = read_stream(argv[1]);
    if (!stream.count) die("an empty stream");
    interval = argc > 2 ? 1 / atof(argv[2]) : 0;
    poller = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    listen_here();
    int *ours[] = {&listener, &timer, NULL};
    struct epoll_event event = {EPOLLIN, {NULL}};
    for (int **fd = ours; *fd; fd++) {
        event.data.ptr = *fd;
        epoll_ctl(poller, EPOLL_CTL_ADD, **fd, &event);
    }
    event.data.ptr = NULL;
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &event);
    for (;;) {
        struct epoll_event events[64];
        int n = epoll_wait(poller, events, 64, -1), ticked = 0, begun = 0;
        for (int i = 0; i < n; i++) {
            if (!events[i].data.ptr) {
                char line[64];
                if (read(STDIN_FILENO, line, sizeof line) <= 0) return 0;
                tell();
                begun = !started;
            } else if (events[i].data.ptr == &listener) {
                take_client();
            } else if (events[i].data.ptr == &timer) {
                uint64_t expired;
                ticked = read(timer, &expired, sizeof expired) > 0;
            } else if (!serve(events[i].data.ptr, events[i].events)) {
                drop(events[i].data.ptr);
            }
        }
        if (begun) start();
        if (ticked) tick();
    }
}
