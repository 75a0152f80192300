// Entries that are removed while a directory is read do not hide others.
#include <dirent.h>
#include "say.h"

int main(void) {
    char name[272];
    mkdir("d", 0755);
    for (int i = 0; i < 300; i++) snprintf(name, sizeof name, "d/file-%03d", i), put(name, "");
    DIR *listing = opendir("d");
    int removed = 0;
    for (struct dirent *entry; (entry = readdir(listing));) {
        if (entry->d_name[0] == '.') continue;
        snprintf(name, sizeof name, "d/%s", entry->d_name);
        removed += unlink(name) == 0;
    }
    closedir(listing);
    printf("removed %d\n", removed);
    TRY(rmdir("d"));
    return 0;
}
