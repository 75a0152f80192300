// A hundred files open at once; numbers are used again.
#include "say.h"

int main(void) {
    int fds[100], failed = 0;
    char name[16];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "f%d", i);
        fds[i] = open(name, O_RDWR | O_CREAT, 0644);
        failed += fds[i] < 0 || write(fds[i], name, strlen(name)) < 0;
    }
    printf("failed %d\n", failed);
    for (int i = 0; i < 100; i++) failed += close(fds[i]) < 0;
    printf("failed %d\n", failed);
    show("f99");
    TRY(open("f0", O_RDONLY) <= fds[99] ? 0 : -1);
    return 0;
}
