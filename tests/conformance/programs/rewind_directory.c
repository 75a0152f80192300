// rewinddir begins again and sees what is new.
#include <dirent.h>
#include "say.h"

static int count(DIR *listing) {
    int entries = 0;
    while (readdir(listing)) entries++;
    return entries;
}

int main(void) {
    mkdir("d", 0755), put("d/a", "x"), put("d/b", "y");
    DIR *listing = opendir("d");
    printf("%d\n", count(listing));
    printf("%d\n", count(listing));
    put("d/c", "z");
    rewinddir(listing);
    printf("%d\n", count(listing));
    unlink("d/a");
    rewinddir(listing);
    printf("%d\n", count(listing));
    closedir(listing);
    return 0;
}
