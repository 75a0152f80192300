// Eight mebibytes, written and read in pieces.
#include "say.h"

int main(void) {
    static unsigned char piece[65521];
    unsigned sum = 0, again = 0;
    int fd = open("big", O_RDWR | O_CREAT, 0644);
    for (int i = 0; i < 128; i++) {
        for (unsigned j = 0; j < sizeof piece; j++) piece[j] = (unsigned char)(i * 7 + j * 13), sum = sum * 31 + piece[j];
        if (write(fd, piece, sizeof piece) != sizeof piece) printf("%d: %s\n", i, outcome(-1));
    }
    lseek(fd, 0, SEEK_SET);
    long total = 0;
    for (ssize_t count; (count = read(fd, piece, 8191)) > 0; total += count)
        for (ssize_t j = 0; j < count; j++) again = again * 31 + piece[j];
    printf("%ld bytes, the same %d\n", total, sum == again);
    return 0;
}
