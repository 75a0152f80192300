// readdir gives each entry once, with its kind.
#include <dirent.h>
#include "say.h"

int main(void) {
    mkdir("d", 0755), mkdir("d/folder", 0755), put("d/file", "x"), symlink("file", "d/link");
    DIR *listing = opendir("d");
    int dots = 0, entries = 0, sum = 0;
    for (struct dirent *entry; (entry = readdir(listing));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) {
            dots++;
            continue;
        }
        entries++;
        sum += (entry->d_type == DT_DIR) + 10 * (entry->d_type == DT_REG) + 100 * (entry->d_type == DT_LNK);
    }
    printf("dots %d, entries %d, kinds %d\n", dots, entries, sum);
    TRY(closedir(listing));
    TRY(opendir("missing") ? 0 : -1);
    TRY(opendir("d/file") ? 0 : -1);
    return 0;
}
