/* A window of 200x200 pixels at (100, 100) that changes between black and white with every key. */
#include <X11/Xlib.h>
#include <stdio.h>

int main(void)
{
    Display *display = XOpenDisplay(NULL);
    if (!display) return 1;
    int screen = DefaultScreen(display), white = 0;
    unsigned long colours[] = {BlackPixel(display, screen), WhitePixel(display, screen)};
    XSetWindowAttributes wish = {.override_redirect = True,
                                 .event_mask = KeyPressMask | ExposureMask,
                                 .background_pixel = colours[0]};
    Window window = XCreateWindow(display, RootWindow(display, screen), 100, 100, 200, 200, 0,
                                  CopyFromParent, InputOutput, CopyFromParent,
                                  CWOverrideRedirect | CWEventMask | CWBackPixel, &wish);
    XMapRaised(display, window);
    for (XEvent event;;) {
        XNextEvent(display, &event);
        if (event.type == Expose && event.xexpose.count == 0) {
            XSetInputFocus(display, window, RevertToPointerRoot, CurrentTime);
            XSync(display, False);
            printf("ready\n");
            fflush(stdout);
        } else if (event.type == KeyPress) {
            white = !white;
            XSetWindowBackground(display, window, colours[white]);
            XClearWindow(display, window);
            XFlush(display);
        }
    }
}
