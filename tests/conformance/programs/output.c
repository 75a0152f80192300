// A mebibyte to standard output, whole and in order.
#include "say.h"

int main(void) {
    for (int i = 0; i < 70000; i++) printf("line %06d ....\n", i % 1000);
    fflush(stdout);
    TRY(write(1, "", 0));
    return 0;
}
