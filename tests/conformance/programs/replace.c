// How careful programs save: write a new file, sync it, rename it over the old one.
#include "say.h"

int main(void) {
    put("config", "old");
    int reader = open("config", O_RDONLY);
    int fd = TRY(open("config.new", O_WRONLY | O_CREAT | O_EXCL, 0600));
    TRY(write(fd, "new", 3));
    TRY(fsync(fd));
    TRY(close(fd));
    TRY(rename("config.new", "config"));
    show("config");
    char text[4] = "";
    TRY(read(reader, text, 3));
    printf("who had it open reads %s\n", text);
    printf("%s\n", kind("config.new"));
    return 0;
}
