// Two descriptors of one file see each other.
#include "say.h"

int main(void) {
    char text[8] = "";
    int a = open("file", O_RDWR | O_CREAT, 0644), b = open("file", O_RDWR);
    TRY(write(a, "hello", 5));
    TRY(read(b, text, 5));
    printf("%s\n", text);
    TRY(ftruncate(b, 2));
    TRY(write(a, "!", 1));
    lseek(b, 0, SEEK_SET);
    long count = read(b, text, 8);
    for (long i = 0; i < count; i++) putchar(text[i] ? text[i] : '.');
    putchar('\n');
    return 0;
}
