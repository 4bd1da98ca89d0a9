// Atomic file replacement by write, fsync and rename; folders; the program's own data files.
#define _GNU_SOURCE
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"

int cb_file_begin(struct cb_file *file, const char *path) {
    file->path = cb_copy(path);
    file->temporary = cb_format("%s.tmp", path);
    file->stream = fopen(file->temporary, "we");
    if (file->stream != NULL)
        return 0;
    int error = errno;
    free(file->path);
    free(file->temporary);
    *file = (struct cb_file){0};
    return -error;
}

void cb_file_abandon(struct cb_file *file) {
    if (file->stream != NULL)
        fclose(file->stream);
    if (file->temporary != NULL)
        unlink(file->temporary);
    free(file->path);
    free(file->temporary);
    *file = (struct cb_file){0};
}

// A rename is durable once the folder itself is synced.
static int sync_parent(const char *path) {
    char *folder = cb_copy(path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        slash[slash == folder] = '\0';
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (fd < 0)
        return -errno;
    // Some file systems cannot sync a folder (EINVAL): the rename is atomic there too.
    int error = fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
    close(fd);
    return error;
}

static int commit(struct cb_file *file, bool sync) {
    int error = 0;
    if (fflush(file->stream) != 0 || (sync && fsync(fileno(file->stream)) < 0))
        error = -errno;
    else if (ferror(file->stream))
        error = -EIO;
    if (fclose(file->stream) != 0 && error == 0)
        error = -errno;
    file->stream = NULL;
    if (error == 0 && rename(file->temporary, file->path) < 0)
        error = -errno;
    if (error == 0) {
        free(file->temporary);
        file->temporary = NULL;
        error = sync ? sync_parent(file->path) : 0;
    }
    cb_file_abandon(file);
    return error;
}

int cb_file_commit(struct cb_file *file) {
    return commit(file, true);
}

static int write_file(const char *path, const char *bytes, size_t length, bool sync) {
    struct cb_file file;
    int error = cb_file_begin(&file, path);
    if (error < 0)
        return error;
    if (length > 0 && fwrite(bytes, 1, length, file.stream) != length) {
        error = errno ? -errno : -EIO;
        cb_file_abandon(&file);
        return error;
    }
    return commit(&file, sync);
}

int cb_file_write(const char *path, const char *bytes, size_t length) {
    return write_file(path, bytes, length, true);
}

int cb_file_write_soon(const char *path, const char *bytes, size_t length) {
    return write_file(path, bytes, length, false);
}

int cb_file_read(const char *path, char **bytes, size_t *length) {
    FILE *stream = fopen(path, "re");
    if (stream == NULL)
        return -errno;
    struct cb_text text = {0};
    char block[65536];
    size_t got;
    errno = 0;
    while ((got = fread(block, 1, sizeof block, stream)) > 0)
        cb_text_add_bytes(&text, block, got);
    int error = ferror(stream) ? (errno ? -errno : -EIO) : 0;
    fclose(stream);
    if (error < 0) {
        cb_text_clear(&text);
        return error;
    }
    cb_text_add_bytes(&text, "", 0);
    *bytes = text.text;
    if (length != NULL)
        *length = text.length;
    return 0;
}

bool cb_is_folder(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int cb_make_folders(const char *path) {
    char *part = cb_copy(path);
    int error = 0;
    for (char *c = part + 1; error == 0; c++) {
        if (*c != '/' && *c != '\0')
            continue;
        char end = *c;
        *c = '\0';
        if (mkdir(part, 0777) < 0 && !(errno == EEXIST && cb_is_folder(part)))
            error = -errno;
        *c = end;
        if (end == '\0')
            break;
    }
    free(part);
    return error;
}

int cb_link_replace(const char *path, const char *target) {
    char *temporary = cb_format("%s.tmp", path);
    int error = 0;
    unlink(temporary);
    if (symlink(target, temporary) < 0) {
        error = -errno;
    } else if (rename(temporary, path) < 0) {
        error = -errno;
        unlink(temporary);
    }
    free(temporary);
    return error;
}

char *cb_program_folder(void) {
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length < 0) {
        cb_error(stderr,
                 "cannot read /proc/self/exe: %s\nthe program's own folder is unknown\n"
                 "mount /proc",
                 strerror(errno));
        exit(CB_EXIT_USAGE);
    }
    path[length] = '\0';
    *strrchr(path, '/') = '\0';
    return cb_copy(path);
}

char *cb_share_path(const char *name) {
    const char *share = getenv("COROBENCH_SHARE");
    if (share != NULL && *share != '\0')
        return cb_format("%s/%s", share, name);
    char *folder = cb_program_folder();
    char *path = cb_format("%s/share/%s", folder, name);
    free(folder);
    return path;
}
