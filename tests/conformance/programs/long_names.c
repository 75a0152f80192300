// A name has 255 bytes at most.
#include "say.h"

int main(void) {
    char name[300], text[300];
    memset(name, 'n', sizeof name);
    name[255] = 0;
    put(name, "long");
    int fd = TRY(open(name, O_RDONLY));
    printf("%ld\n", (long)read(fd, text, 9));
    TRY(unlink(name));
    name[255] = 'n', name[256] = 0;
    TRY(open(name, O_WRONLY | O_CREAT, 0644));
    TRY(mkdir(name, 0755));
    TRY(symlink("x", name));
    put("\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80", "not only ASCII");
    show("\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80");
    put("a b\tc\n", "odd");
    show("a b\tc\n");
    return 0;
}
