// Hard links, symbolic links, renames.
#include "ground.h"

CASE(two_names_are_one_file) {
    struct stat a, b;
    make("a", "x");
    SHOW(link(at("a"), at("b")));
    SHOW(stat(at("a"), &a) | stat(at("b"), &b));
    SHOW(a.st_ino == b.st_ino);
    SHOW(a.st_nlink);
    make("b", "longer");
    print("a");
    SHOW(unlink(at("a")));
    SHOW(stat(at("b"), &b));
    SHOW(b.st_nlink);
}

CASE(a_link_needs_a_file_and_a_free_name) {
    make("a", "");
    SHOW(mkdir(at("d"), 0755));
    SHOW(link(at("a"), at("d")));
    SHOW(link(at("d"), at("e")));
    SHOW(link(at("nothing"), at("e")));
    SHOW(link(at("a"), at("d/a")));
    list("d");
}

CASE(a_symbolic_link_says_where_it_leads) {
    char text[20] = "";
    struct stat s;
    make("f", "hello");
    SHOW(symlink("f", at("l")));
    SHOW(readlink(at("l"), text, 20));
    printf("%s\n", text);
    SHOW(lstat(at("l"), &s));
    SHOW(S_ISLNK(s.st_mode) != 0);
    SHOW(stat(at("l"), &s));
    SHOW(S_ISREG(s.st_mode) != 0);
    SHOW(readlink(at("f"), text, 20));
    print("l");
}

CASE(a_link_to_a_directory_is_walked) {
    SHOW(mkdir(at("d"), 0755));
    make("d/f", "x");
    SHOW(symlink("d", at("l")));
    print("l/f");
    list("l/");
    SHOW(rmdir(at("l")));
    SHOW(unlink(at("l")));
    list(".");
}

CASE(links_in_a_circle_are_too_many) {
    SHOW(symlink("b", at("a")));
    SHOW(symlink("a", at("b")));
    SHOW(open(at("a"), O_RDONLY));
    SHOW(open(at("a/x"), O_RDONLY));
    SHOW(unlink(at("a")));
}

CASE(a_link_that_is_not_followed_is_not_opened) {
    make("f", "");
    SHOW(symlink("f", at("l")));
    SHOW(open(at("l"), O_RDONLY | O_NOFOLLOW));
    SHOW(open(at("f"), O_RDONLY | O_NOFOLLOW) > 2);
}

CASE(a_link_of_links_is_followed) {
    make("f", "x");
    char from[10], to[10];
    SHOW(symlink("f", at("l0")));
    for (int i = 1; i < 30; i++) {
        snprintf(from, sizeof from, "l%d", i);
        snprintf(to, sizeof to, "l%d", i - 1);
        if (symlink(to, at(from))) show("symlink", -1);
    }
    print("l29");
}

CASE(a_rename_moves) {
    make("a", "x");
    SHOW(rename(at("a"), at("b")));
    list(".");
    SHOW(mkdir(at("d"), 0755));
    SHOW(rename(at("b"), at("d/c")));
    list("d");
    SHOW(rename(at("nothing"), at("x")));
}

CASE(a_rename_replaces_a_file) {
    char text[2] = "";
    make("a", "a");
    make("b", "b");
    int f = open(at("b"), O_RDONLY);
    SHOW(rename(at("a"), at("b")));
    print("b");
    SHOW(read(f, text, 1));
    printf("%s\n", text);
    list(".");
}

CASE(a_rename_replaces_an_empty_directory_only) {
    SHOW(mkdir(at("a"), 0755));
    SHOW(mkdir(at("b"), 0755));
    make("a/f", "");
    make("b/g", "");
    SHOW(rename(at("a"), at("b")));
    SHOW(unlink(at("b/g")));
    SHOW(rename(at("a"), at("b")));
    list("b");
    make("f", "");
    SHOW(rename(at("f"), at("b")));
    SHOW(rename(at("b"), at("f")));
}

CASE(a_directory_does_not_go_into_itself) {
    SHOW(mkdir(at("a"), 0755));
    SHOW(mkdir(at("a/b"), 0755));
    SHOW(rename(at("a"), at("a/b/c")));
    SHOW(rename(at("a/b"), at("a")));
    SHOW(rename(at("a"), at("a")));
    list("a");
}

CASE(a_rename_of_two_names_of_one_file_does_nothing) {
    make("a", "");
    SHOW(link(at("a"), at("b")));
    SHOW(rename(at("a"), at("b")));
    list(".");
}

CASE(a_rename_moves_a_link_itself) {
    char text[10] = "";
    make("f", "x");
    SHOW(symlink("f", at("l")));
    SHOW(rename(at("l"), at("m")));
    SHOW(readlink(at("m"), text, 10));
    print("m");
}
