// fdopendir takes a descriptor of a directory.
#include <dirent.h>
#include "say.h"

int main(void) {
    mkdir("d", 0755), put("d/only", "x");
    int fd = open("d", O_RDONLY | O_DIRECTORY);
    DIR *listing = fdopendir(fd);
    TRY(listing ? 0 : -1);
    printf("the same descriptor %d\n", dirfd(listing) == fd);
    for (struct dirent *entry; (entry = readdir(listing));)
        if (entry->d_name[0] != '.') printf("%s\n", entry->d_name);
    TRY(closedir(listing));
    TRY(close(fd));
    put("file", "x");
    TRY(fdopendir(open("file", O_RDONLY)) ? 0 : -1);
    return 0;
}
