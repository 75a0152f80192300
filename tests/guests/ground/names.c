// What names do: opening, making, removing.
#include "ground.h"

CASE(what_is_not_there_is_missing) {
    SHOW(open(at("f"), O_RDONLY));
    SHOW(open(at("d/f"), O_CREAT | O_WRONLY, 0644));
    SHOW(unlink(at("f")));
    SHOW(rmdir(at("d")));
    list("d");
}

CASE(exclusive_creation_happens_once) {
    SHOW(open(at("f"), O_CREAT | O_EXCL | O_WRONLY, 0644) > 2);
    SHOW(open(at("f"), O_CREAT | O_EXCL | O_WRONLY, 0644));
    SHOW(open(at("f"), O_CREAT | O_WRONLY, 0644) > 2);
}

CASE(exclusive_creation_does_not_follow_a_link) {
    SHOW(symlink("nowhere", at("l")));
    SHOW(open(at("l"), O_CREAT | O_EXCL | O_WRONLY, 0644));
    list(".");
}

CASE(creation_through_a_dangling_link_makes_its_target) {
    SHOW(symlink("target", at("l")));
    int f = open(at("l"), O_CREAT | O_WRONLY, 0644);
    SHOW(write(f, "x", 1));
    list(".");
    print("target");
}

CASE(a_directory_is_not_a_file) {
    SHOW(mkdir(at("d"), 0755));
    SHOW(open(at("d"), O_WRONLY));
    SHOW(open(at("d"), O_CREAT | O_RDWR, 0644));
    SHOW(unlink(at("d")));
}

CASE(a_file_is_not_a_directory) {
    make("f", "");
    SHOW(open(at("f/x"), O_RDONLY));
    SHOW(open(at("f/"), O_RDONLY));
    SHOW(open(at("f"), O_RDONLY | O_DIRECTORY));
    SHOW(rmdir(at("f")));
    SHOW(mkdir(at("f"), 0755));
    SHOW(mkdir(at("f/d"), 0755));
    list("f");
}

CASE(a_directory_goes_when_it_is_empty) {
    SHOW(mkdir(at("d"), 0755));
    make("d/f", "");
    SHOW(rmdir(at("d")));
    SHOW(unlink(at("d/f")));
    SHOW(rmdir(at("d")));
    list(".");
}

CASE(slashes_and_dots_mean_what_they_do) {
    SHOW(mkdir(at("a"), 0755));
    SHOW(mkdir(at("a/b/"), 0755));
    make("a//b/./f", "x");
    print("a/b/../b/f");
    SHOW(mkdir(at("a/."), 0755));
    SHOW(rmdir(at("a/b/.")));
    SHOW(access(at("a/nothing/../b"), F_OK));
}

CASE(a_file_without_a_name_lives_while_it_is_open) {
    char text[6] = "";
    struct stat s;
    make("f", "hello");
    int f = open(at("f"), O_RDWR);
    SHOW(unlink(at("f")));
    SHOW(open(at("f"), O_RDONLY));
    SHOW(fstat(f, &s));
    SHOW(s.st_nlink);
    SHOW(read(f, text, 5));
    SHOW(write(f, "!", 1));
    printf("%s\n", text);
    make("f", "new");
    print("f");
}

CASE(a_name_has_at_most_255_bytes) {
    char name[300];
    memset(name, 'n', 299);
    name[255] = 0;
    SHOW(open(at(name), O_CREAT | O_WRONLY, 0644) > 2);
    name[255] = 'n';
    name[256] = 0;
    SHOW(open(at(name), O_CREAT | O_WRONLY, 0644));
}

CASE(a_directory_lists_what_is_in_it) {
    char name[20];
    for (int i = 0; i < 120; i++) {
        snprintf(name, sizeof name, "n%03d", i);
        make(name, "");
    }
    list(".");
}

CASE(a_listing_goes_on_while_entries_go) {
    int seen = 0;
    char name[20];
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "n%d", i);
        make(name, "");
    }
    DIR *d = opendir(at("."));
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] == 'n') seen += unlink(at(e->d_name)) == 0;
    SHOW(seen);
    list(".");
}

CASE(a_listing_can_begin_again) {
    make("a", "");
    make("b", "");
    int first = 0, second = 0;
    DIR *d = opendir(at("."));
    while (readdir(d)) first++;
    rewinddir(d);
    while (readdir(d)) second++;
    SHOW(first == second);
    SHOW(closedir(d));
}
