// getentropy gives other bytes each time, 256 at most.
#include <sys/random.h>
#include "say.h"

int main(void) {
    unsigned char one[256] = {0}, two[256] = {0};
    TRY(getentropy(one, 256));
    TRY(getentropy(two, 256));
    printf("different %d\n", memcmp(one, two, 256) != 0);
    int seen[256] = {0}, kinds = 0;
    for (int i = 0; i < 256; i++) kinds += !seen[one[i]]++;
    printf("many kinds %d\n", kinds > 100);
    TRY(getentropy(one, 0));
    return 0;
}
