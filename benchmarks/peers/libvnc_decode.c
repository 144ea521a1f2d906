/* libvncclient, decoding a recorded stream from memory.
 *
 *     libvnc_decode STREAM
 *
 * It obeys lines on stdin and answers each with one on stdout:
 *   crc    decode all; the CRC32 of the framebuffer (X = 255) after every update, in hex
 *   time N decode all N times; CPU seconds of the updates after the first (of that, if it is alone)
 * or with "error" and why.
 *
 * The functions below replace others of the same name (the dynamic linker takes ours first): no
 * socket and no system call is between it and the bytes. Its read() is one copy, as large as it
 * asks for; the library's own way of receiving, with a buffer of 8 KB for what is small, is measured
 * as part of it. Compiled with -DFIELDS, that is taken out as well: every single field is one copy
 * to where it wants it, which is less than any client of a server has to do.
 */
#include <rfb/rfbclient.h>
#include <sys/syscall.h>
#include <zlib.h>

#include "copy.h"
#include "stream.h"

/* No file of ours has this number. */
enum { THE_STREAM = 1 << 20 };

static const unsigned char *next_byte, *last_byte;

#ifdef FIELDS
rfbBool ReadFromRFBServer(rfbClient *client, char *out, unsigned int n)
{
    (void)client;
    if ((size_t)(last_byte - next_byte) < n) return FALSE;
    copy_bytes(out, next_byte, n);
    next_byte += n;
    return TRUE;
}
#else
ssize_t read(int file, void *out, size_t n)
{
    size_t left = (size_t)(last_byte - next_byte), count = n < left ? n : left;
    if (file != THE_STREAM) return syscall(SYS_read, file, out, n);
    copy_bytes(out, next_byte, count);
    next_byte += count;
    return (ssize_t)count;
}
#endif

rfbBool WriteToRFBServer(rfbClient *client, const char *buf, unsigned int n)
{
    (void)client, (void)buf, (void)n;
    return TRUE;
}

static rfbBool allocate(rfbClient *client)
{
    free(client->frameBuffer);
    client->frameBuffer = calloc((size_t)client->width * client->height, 4);
    return client->frameBuffer != NULL;
}

static void silence(const char *format, ...)
{
    (void)format;
}

static void feed(const void *data, size_t length)
{
    next_byte = data;
    last_byte = next_byte + length;
}

static rfbClient *open_client(const struct stream *stream)
{
    static const char hello[] = "RFB 003.008\n\1\1\0\0\0";
    unsigned char opening[1024];
    rfbClient *client = rfbGetClient(8, 3, 4); /* shifts 0, 8, 16: bytes R, G, B, X */
    client->canHandleNewFBSize = TRUE;
    client->MallocFrameBuffer = allocate;
    client->sock = THE_STREAM;
    if (stream->init.length > sizeof opening - 18) die("a long name");
    memcpy(opening, hello, 18);
    memcpy(opening + 18, stream->init.data, stream->init.length);
    feed(opening, 18 + stream->init.length);
    if (!InitialiseRFBConnection(client)) die("libvncclient does not open");
    client->width = client->si.framebufferWidth;
    client->height = client->si.framebufferHeight;
    if (!allocate(client) || !SetFormatAndEncodings(client)) die("no memory");
    return client;
}

static void close_client(rfbClient *client)
{
    free(client->frameBuffer);
    client->frameBuffer = NULL;
    client->sock = RFB_INVALID_SOCKET;
    rfbClientCleanup(client);
}

static void decode(rfbClient *client, struct piece update)
{
    feed(update.data, update.length);
    if (!HandleRFBServerMessage(client)) die("libvncclient refuses the stream");
    if (next_byte != last_byte || client->buffered) die("libvncclient left bytes over");
}

static void print_crcs(const struct stream *stream)
{
    rfbClient *client = open_client(stream);
    unsigned char *copy = NULL;
    for (uint32_t i = 0; i < stream->count; i++) {
        decode(client, stream->updates[i]);
        size_t size = (size_t)client->width * client->height * 4;
        copy = realloc(copy, size);
        memcpy(copy, client->frameBuffer, size);
        for (size_t x = 3; x < size; x += 4) copy[x] = 255;
        printf("%08lx ", crc32(0, copy, (uInt)size));
    }
    printf("\n");
    free(copy);
    close_client(client);
}

int main(int argc, char **argv)
{
    char line[64];
    if (argc != 2) return 2;
    struct stream stream = read_stream(argv[1]);
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    rfbClientLog = rfbClientErr = silence;
    while (fgets(line, sizeof line, stdin)) {
        if (!strncmp(line, "crc", 3)) {
            print_crcs(&stream);
        } else {
            double seconds = 0;
            for (int pass = atoi(line + 4); pass > 0; pass--) {
                rfbClient *client = open_client(&stream);
                uint32_t i = 0;
                if (stream.count > 1) decode(client, stream.updates[i++]);
                double started = cpu_seconds();
                while (i < stream.count) decode(client, stream.updates[i++]);
                seconds += cpu_seconds() - started;
                close_client(client);
            }
            printf("%.9f\n", seconds);
        }
        fflush(stdout);
    }
    return 0;
}
