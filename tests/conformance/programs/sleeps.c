// nanosleep sleeps as long as asked, or longer.
#include <sched.h>
#include "say.h"

int main(void) {
    struct timespec before, after, pause = {0, 30000000}, bad = {0, 1000000000};
    clock_gettime(CLOCK_MONOTONIC, &before);
    TRY(nanosleep(&pause, NULL));
    clock_gettime(CLOCK_MONOTONIC, &after);
    long long spent = (after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec;
    printf("long enough %d\n", spent >= 30000000);
    TRY(nanosleep(&bad, NULL));
    TRY(usleep(1000));
    TRY(sched_yield());
    return 0;
}
