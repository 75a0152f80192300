// What files hold.
#include "ground.h"

CASE(a_file_gives_back_what_was_written) {
    make("f", "hello");
    print("f");
}

CASE(a_seek_moves_reads_and_writes) {
    char text[6] = "";
    int f = open(at("f"), O_CREAT | O_RDWR, 0644);
    SHOW(write(f, "hello world", 11));
    SHOW(lseek(f, 6, SEEK_SET));
    SHOW(read(f, text, 5));
    printf("%s\n", text);
    SHOW(lseek(f, -5, SEEK_CUR));
    SHOW(write(f, "WORLD", 5));
    SHOW(lseek(f, 0, SEEK_END));
    SHOW(lseek(f, -1, SEEK_SET));
    print("f");
}

CASE(a_positioned_call_leaves_the_offset_alone) {
    char text[4] = "";
    int f = open(at("f"), O_CREAT | O_RDWR, 0644);
    SHOW(write(f, "abcdef", 6));
    SHOW(pread(f, text, 3, 1));
    printf("%s\n", text);
    SHOW(pwrite(f, "X", 1, 0));
    SHOW(lseek(f, 0, SEEK_CUR));
    print("f");
}

CASE(a_read_ends_where_the_file_does) {
    char text[10];
    make("f", "abc");
    int f = open(at("f"), O_RDONLY);
    SHOW(read(f, text, 10));
    SHOW(read(f, text, 10));
    SHOW(pread(f, text, 10, 100));
    SHOW(read(f, text, 0));
}

CASE(append_writes_at_the_end_wherever_the_offset_is) {
    make("f", "one");
    int f = open(at("f"), O_WRONLY | O_APPEND);
    SHOW(lseek(f, 0, SEEK_SET));
    SHOW(write(f, "two", 3));
    make("g", "");
    print("f");
}

CASE(two_that_append_do_not_overwrite_each_other) {
    make("f", "");
    int f = open(at("f"), O_WRONLY | O_APPEND), g = open(at("f"), O_WRONLY | O_APPEND);
    SHOW(write(f, "a", 1));
    SHOW(write(g, "b", 1));
    SHOW(write(f, "c", 1));
    print("f");
}

CASE(a_hole_reads_as_zeros) {
    char text[8];
    int f = open(at("f"), O_CREAT | O_RDWR, 0644);
    SHOW(pwrite(f, "end", 3, 100000));
    memset(text, 'x', 8);
    SHOW(pread(f, text, 8, 50000));
    SHOW(text[0] + text[7]);
    SHOW(lseek(f, 0, SEEK_END));
}

CASE(a_file_can_be_cut_and_stretched) {
    struct stat s;
    make("f", "hello");
    int f = open(at("f"), O_RDWR);
    SHOW(ftruncate(f, 2));
    print("f");
    SHOW(ftruncate(f, 4));
    SHOW(fstat(f, &s));
    SHOW(s.st_size);
    SHOW(ftruncate(f, -1));
}

CASE(what_was_cut_does_not_come_back) {
    char text[6];
    make("f", "secret");
    int f = open(at("f"), O_RDWR);
    SHOW(ftruncate(f, 1));
    SHOW(ftruncate(f, 6));
    SHOW(read(f, text, 6));
    SHOW(text[1] | text[5]);
}

CASE(truncate_on_open_empties) {
    make("f", "hello");
    int f = open(at("f"), O_WRONLY | O_TRUNC);
    SHOW(lseek(f, 0, SEEK_END));
    print("f");
}

CASE(a_descriptor_is_for_what_it_was_opened_for) {
    char text[1];
    make("f", "a");
    int r = open(at("f"), O_RDONLY), w = open(at("f"), O_WRONLY);
    SHOW(write(r, "x", 1));
    SHOW(read(w, text, 1));
    SHOW(close(r));
    SHOW(read(r, text, 1));
}

CASE(a_large_file_is_whole) {
    static char block[65536];
    unsigned sum = 0;
    int f = open(at("f"), O_CREAT | O_RDWR, 0644);
    for (int i = 0; i < 64; i++) {
        memset(block, i + 1, sizeof block);
        if (write(f, block, sizeof block) != sizeof block) show("write", -1);
    }
    SHOW(lseek(f, 0, SEEK_SET));
    for (long got; (got = read(f, block, sizeof block)) > 0;)
        for (long i = 0; i < got; i++) sum = sum * 31 + block[i];
    SHOW(sum % 1000000);
}

CASE(writing_across_chunks_keeps_what_is_around) {
    char text[9] = "";
    int f = open(at("f"), O_CREAT | O_RDWR, 0644);
    for (int i = 0; i < 140000; i += 10) (void)!pwrite(f, "0123456789", 10, i);
    SHOW(pwrite(f, "ABCD", 4, 65534));
    SHOW(pread(f, text, 8, 65532));
    printf("%s\n", text);
}

CASE(a_stream_of_the_library_works) {
    char line[20];
    int number = 0;
    FILE *f = fopen(at("f"), "w+");
    fprintf(f, "one %d\ntwo\n", 7);
    rewind(f);
    SHOW(fscanf(f, "one %d\n", &number));
    SHOW(number);
    printf("%s", fgets(line, sizeof line, f));
    SHOW(fgets(line, sizeof line, f) == NULL);
    SHOW(feof(f) != 0);
    SHOW(fclose(f));
}
