// Clocks go forward.
#include "say.h"

int main(void) {
    struct timespec one, two, wall, step;
    TRY(clock_gettime(CLOCK_MONOTONIC, &one));
    TRY(clock_gettime(CLOCK_MONOTONIC, &two));
    printf("forward %d\n", two.tv_sec > one.tv_sec || (two.tv_sec == one.tv_sec && two.tv_nsec >= one.tv_nsec));
    TRY(clock_gettime(CLOCK_REALTIME, &wall));
    printf("this century %d\n", wall.tv_sec > 1700000000 && wall.tv_nsec < 1000000000);
    printf("time agrees %d\n", time(NULL) - wall.tv_sec <= 1);
    TRY(clock_getres(CLOCK_MONOTONIC, &step));
    printf("finer than a second %d\n", step.tv_sec == 0 && step.tv_nsec > 0);
    struct tm when = {0};
    time_t moment = 1000000000;
    gmtime_r(&moment, &when);
    printf("%d-%02d-%02d %02d:%02d:%02d\n", when.tm_year + 1900, when.tm_mon + 1, when.tm_mday, when.tm_hour,
           when.tm_min, when.tm_sec);
    return 0;
}
