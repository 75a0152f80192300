// O_TRUNC empties a file, not a directory.
#include "say.h"

int main(void) {
    put("text", "some text");
    int fd = TRY(open("text", O_WRONLY | O_TRUNC));
    show("text");
    TRY(write(fd, "x", 1));
    show("text");
    TRY(mkdir("folder", 0755));
    TRY(open("folder", O_WRONLY | O_TRUNC));
    TRY(open("missing", O_WRONLY | O_TRUNC));
    return 0;
}
