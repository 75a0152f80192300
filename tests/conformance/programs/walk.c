// nftw walks a whole tree.
#include <ftw.h>
#include "say.h"

static int files, folders, links, deepest;

static int visit(const char *path, const struct stat *found, int type, struct FTW *at) {
    (void)path, (void)found;
    files += type == FTW_F, folders += type == FTW_D || type == FTW_DP, links += type == FTW_SL;
    if (at->level > deepest) deepest = at->level;
    return 0;
}

int main(void) {
    mkdir("t", 0755), mkdir("t/u", 0755), mkdir("t/u/v", 0755), put("t/u/v/x", "1"), put("t/y", "2");
    symlink("u", "t/link");
    TRY(nftw("t", visit, 8, FTW_PHYS));
    printf("%d files, %d folders, %d links, %d deep\n", files, folders, links, deepest);
    return 0;
}
