// What is known about files.
#include "ground.h"

CASE(a_stat_knows_kind_and_size) {
    struct stat s;
    make("f", "hello");
    SHOW(mkdir(at("d"), 0755));
    SHOW(stat(at("f"), &s));
    SHOW(S_ISREG(s.st_mode) != 0);
    SHOW(s.st_size);
    SHOW(stat(at("d"), &s));
    SHOW(S_ISDIR(s.st_mode) != 0);
    SHOW(stat(at("."), &s));
    SHOW(S_ISDIR(s.st_mode) != 0);
}

CASE(numbers_of_files_tell_them_apart) {
    struct stat a, b, c;
    make("a", "");
    make("b", "");
    SHOW(stat(at("a"), &a) | stat(at("b"), &b));
    SHOW(a.st_ino != b.st_ino);
    SHOW(rename(at("a"), at("c")));
    SHOW(stat(at("c"), &c));
    SHOW(a.st_ino == c.st_ino);
}

CASE(times_can_be_set) {
    struct stat s;
    struct timespec times[2] = {{1000, 5}, {2000, 7}};
    make("f", "");
    int f = open(at("f"), O_RDWR);
    SHOW(futimens(f, times));
    SHOW(fstat(f, &s));
    SHOW(s.st_atim.tv_sec);
    SHOW(s.st_mtim.tv_sec);
    SHOW(s.st_mtim.tv_nsec);
    times[1].tv_sec = 3000;
    SHOW(utimensat(AT_FDCWD, at("f"), times, 0));
    SHOW(stat(at("f"), &s));
    SHOW(s.st_atim.tv_sec);
    SHOW(s.st_mtim.tv_sec);
}

CASE(times_of_a_link_are_its_own) {
    struct stat s;
    struct timespec times[2] = {{1000, 0}, {2000, 0}};
    make("f", "");
    SHOW(symlink("f", at("l")));
    SHOW(utimensat(AT_FDCWD, at("l"), times, AT_SYMLINK_NOFOLLOW));
    SHOW(lstat(at("l"), &s));
    SHOW(s.st_mtim.tv_sec);
    SHOW(stat(at("f"), &s));
    SHOW(s.st_mtim.tv_sec > 1000000);
}

CASE(a_write_changes_the_time) {
    struct stat s;
    struct timespec times[2] = {{1000, 0}, {1000, 0}};
    make("f", "");
    int f = open(at("f"), O_RDWR);
    SHOW(futimens(f, times));
    SHOW(write(f, "x", 1));
    SHOW(fstat(f, &s));
    SHOW(s.st_mtim.tv_sec > 1000000);
}

CASE(access_asks_whether_something_is_there) {
    make("f", "");
    SHOW(access(at("f"), F_OK));
    SHOW(access(at("f"), R_OK | W_OK));
    SHOW(access(at("g"), F_OK));
}

CASE(a_sync_has_nothing_to_wait_for) {
    make("f", "x");
    int f = open(at("f"), O_RDWR);
    SHOW(fsync(f));
    SHOW(fdatasync(f));
    SHOW(posix_fadvise(f, 0, 0, POSIX_FADV_SEQUENTIAL));
    SHOW(fsync(99));
}

CASE(flags_of_a_descriptor_are_what_was_asked_for) {
    make("f", "");
    SHOW((fcntl(open(at("f"), O_RDONLY), F_GETFL) & O_ACCMODE) == O_RDONLY);
    int f = open(at("f"), O_RDWR | O_APPEND);
    SHOW((fcntl(f, F_GETFL) & O_ACCMODE) == O_RDWR);
    SHOW((fcntl(f, F_GETFL) & O_APPEND) != 0);
}
