// O_EXCL takes nothing that is there, a dangling link included.
#include "say.h"

int main(void) {
    TRY(open("one", O_WRONLY | O_CREAT | O_EXCL, 0644));
    TRY(open("one", O_WRONLY | O_CREAT | O_EXCL, 0644));
    TRY(symlink("nothing", "dangling"));
    TRY(open("dangling", O_WRONLY | O_CREAT | O_EXCL, 0644));
    printf("nothing: %s\n", kind("nothing"));
    TRY(mkdir("folder", 0755));
    TRY(open("folder", O_RDONLY | O_CREAT | O_EXCL, 0644));
    return 0;
}
