// scandir, with a filter and an order.
#include <dirent.h>
#include "say.h"

static int letters(const struct dirent *entry) { return entry->d_name[0] >= 'a'; }

int main(void) {
    mkdir("d", 0755), put("d/b", ""), put("d/a", ""), put("d/c", ""), put("d/0", "");
    struct dirent **found;
    int count = TRY(scandir("d", &found, letters, alphasort));
    for (int i = 0; i < count; i++) printf("%s ", found[i]->d_name);
    printf("\n");
    TRY(scandir("missing", &found, letters, alphasort));
    return 0;
}
