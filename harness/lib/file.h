// Files that are whole or not there: written under a temporary name, synced, and renamed.
//
// All functions that can fail return 0 or a negative errno.
#ifndef CB_FILE_H
#define CB_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

// A file being written. Print to `stream`, then commit or abandon; both free what it holds.
struct cb_file {
    FILE *stream;
    char *path;      // the name it will have
    char *temporary; // the name it has until then: path.tmp
};

int cb_file_begin(struct cb_file *file, const char *path);
// Makes it appear under its name, at once and durably. On an error (a full disk, say) nothing
// appears, an older file of that name stays as it was, and the temporary file is gone.
int cb_file_commit(struct cb_file *file);
void cb_file_abandon(struct cb_file *file);

// begin, print the bytes, commit.
int cb_file_write(const char *path, const char *bytes, size_t length);
// The same without waiting for the disk. Whoever is killed afterwards loses nothing; after a power
// cut the file may be empty, so only for what is checked when it is read.
int cb_file_write_soon(const char *path, const char *bytes, size_t length);
// The whole file, with a NUL after it. Free *bytes. `length` may be NULL.
int cb_file_read(const char *path, char **bytes, size_t *length);

// Makes a folder and its parents; one that exists is right.
int cb_make_folders(const char *path);
bool cb_is_folder(const char *path);
// Points the symbolic link at `path` to `target`, replacing an older link at once.
int cb_link_replace(const char *path, const char *target);

// The name of a data file or plot script that came with the program: a file of the folder `share`
// beside the running program, or of $COROBENCH_SHARE where that is set. The program can thus be
// moved as a folder. Free it.
char *cb_share_path(const char *name);
// The folder of the running program. Free it.
char *cb_program_folder(void);

#endif
