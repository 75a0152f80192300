// O_NOFOLLOW refuses a link at the end of a path, and no other.
#include "say.h"

int main(void) {
    mkdir("folder", 0755);
    put("folder/file", "x");
    symlink("folder", "way");
    symlink("folder/file", "link");
    TRY(open("link", O_RDONLY));
    TRY(open("link", O_RDONLY | O_NOFOLLOW));
    TRY(open("way/file", O_RDONLY | O_NOFOLLOW));
    TRY(open("folder/file", O_RDONLY | O_NOFOLLOW));
    return 0;
}
