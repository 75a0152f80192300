// What a descriptor was not opened for, it does not do.
#include "say.h"

int main(void) {
    char text[8];
    put("file", "text");
    int reader = TRY(open("file", O_RDONLY)), writer = TRY(open("file", O_WRONLY));
    TRY(write(reader, "x", 1));
    TRY(read(writer, text, 1));
    TRY(pwrite(reader, "x", 1, 0));
    TRY(pread(writer, text, 1, 0));
    TRY(ftruncate(reader, 0) == 0 ? 0 : -1);
    TRY(write(writer, "T", 1));
    TRY(read(reader, text, 4));
    printf("%.4s\n", text);
    TRY(close(reader));
    TRY(read(reader, text, 1));
    TRY(close(reader));
    TRY(read(999, text, 1));
    return 0;
}
