/* How long a key takes to become a pixel for the smallest client that libvncclient allows.
 *
 *     libvnc_press PORT X Y PRESSES SEED
 *
 * Between two presses it waits 40 to 60 ms, so that they fall anywhere in the server's frames. One
 * line on stdout: the seconds of every press.
 */
#include <rfb/rfbclient.h>

#include "stream.h"

static void silence(const char *format, ...)
{
    (void)format;
}

static void handle(rfbClient *client, double seconds)
{
    int there = WaitForMessage(client, (unsigned)(1e6 * seconds));
    if (there < 0 || (there > 0 && !HandleRFBServerMessage(client))) die("the server is gone");
}

int main(int argc, char **argv)
{
    if (argc != 6) return 2;
    int x = atoi(argv[2]), y = atoi(argv[3]), presses = atoi(argv[4]);
    srand((unsigned)atoi(argv[5]));
    rfbClientLog = rfbClientErr = silence;
    rfbClient *client = rfbGetClient(8, 3, 4);
    client->serverHost = strdup("127.0.0.1");
    client->serverPort = atoi(argv[1]);
    client->appData.encodingsString = "copyrect raw";
    if (!rfbInitClient(client, NULL, NULL)) die("libvncclient does not connect");
    volatile unsigned char *pixel = client->frameBuffer + 4 * ((size_t)y * client->width + x);
    for (int i = 0; i < presses; i++) {
        double until = now_seconds() + 0.04 + 0.02 * rand() / RAND_MAX, left;
        while ((left = until - now_seconds()) > 0) handle(client, left);
        unsigned char before = *pixel;
        double pressed = now_seconds();
        SendKeyEvent(client, XK_space, TRUE);
        while (*pixel == before) {
            if (now_seconds() - pressed > 5) die("the pixel does not change");
            handle(client, 1);
        }
        printf("%.6f ", now_seconds() - pressed);
        SendKeyEvent(client, XK_space, FALSE);
    }
    printf("\n");
    return 0;
}
