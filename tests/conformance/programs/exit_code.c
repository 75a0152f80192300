// The exit code, and what runs before it.
#include "say.h"

static void first(void) { printf("last of all\n"); }
static void second(void) { printf("before it\n"); }

int main(void) {
    atexit(first);
    atexit(second);
    printf("not flushed by hand");
    printf("\n");
    exit(42);
}
