// What the programs share: they print what they find, errors by name, so that two runs can be compared line by line.
#ifndef SAY_H
#define SAY_H
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct {
    int code;
    const char *name;
} errors[] = {
    {EACCES, "EACCES"}, {EBADF, "EBADF"},   {EBUSY, "EBUSY"},         {EEXIST, "EEXIST"}, {EFBIG, "EFBIG"},
    {EINVAL, "EINVAL"}, {EISDIR, "EISDIR"}, {ELOOP, "ELOOP"},         {EMFILE, "EMFILE"}, {ENOENT, "ENOENT"},
    {EMLINK, "EMLINK"}, {ENOSPC, "ENOSPC"}, {ENAMETOOLONG, "ENAMETOOLONG"}, {ENOSYS, "ENOSYS"}, {ENOTDIR, "ENOTDIR"},
    {ENOTTY, "ENOTTY"}, {ENXIO, "ENXIO"},   {ENOTEMPTY, "ENOTEMPTY"}, {EPERM, "EPERM"},   {EPIPE, "EPIPE"},
    {EROFS, "EROFS"},   {ESPIPE, "ESPIPE"}, {EXDEV, "EXDEV"},         {ENOTSUP, "ENOTSUP"},
};

// The error's name, or "ok" for a result that is none.
static inline const char *outcome(long result) {
    static char other[32];
    if (result >= 0) return "ok";
    for (unsigned i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].code == errno) return errors[i].name;
    snprintf(other, sizeof other, "errno %d", errno);
    return other;
}

// Prints a call and what came of it; gives the result back.
#define TRY(call) say_(#call, (long)(call))
static inline int say_(const char *what, long result) {
    printf("%s: %s\n", what, outcome(result));
    return (int)result;
}

// Makes a file.
static inline void put(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) printf("put %s: %s\n", path, outcome(-1));
    if (fd >= 0) close(fd);
}

// Prints a file.
static inline void show(const char *path) {
    char text[256];
    int fd = open(path, O_RDONLY);
    ssize_t count = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    printf("%s = %s%.*s\n", path, count < 0 ? outcome(-1) : "", count < 0 ? 0 : (int)count, text);
    if (fd >= 0) close(fd);
}

// "file", "directory" or "link", links not followed.
static inline const char *kind(const char *path) {
    struct stat found;
    if (lstat(path, &found) < 0) return outcome(-1);
    return S_ISDIR(found.st_mode) ? "directory" : S_ISLNK(found.st_mode) ? "link" : S_ISREG(found.st_mode) ? "file" : "other";
}
#endif
