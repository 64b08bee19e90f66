/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lets the server pull a file out of this program's memory, where it is mapped, and save it under
 * its name: file_client ADDRESS FILE [--shutdown].
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

static void* map(const char* path, hg_size_t* size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    void* bytes;

    if (fd < 0 || fstat(fd, &status) != 0) fail("%s: %s", path, strerror(errno));
    if (status.st_size == 0) fail("%s: is empty", path);
    *size = (hg_size_t)status.st_size;
    bytes = mmap(NULL, *size, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED) fail("%s: %s", path, strerror(errno));
    close(fd);
    return bytes;
}

static void save(struct net* net, hg_addr_t server, const char* path) {
    hg_id_t id = MERCURY_REGISTER(net->hg_class, "save_file", save_in_t, save_out_t, NULL);
    const char* slash = strrchr(path, '/');
    hg_handle_t handle;
    hg_size_t size;
    void* bytes = map(path, &size);
    double start;
    double seconds;
    save_in_t in;
    save_out_t out;

    in.name = (hg_string_t)(slash != NULL ? slash + 1 : path);
    check(HG_Bulk_create(net->hg_class, 1, &bytes, &size, HG_BULK_READ_ONLY, &in.bytes),
          "HG_Bulk_create");
    start = now();
    handle = call(net, server, id, &in);
    seconds = now() - start;
    check(HG_Get_output(handle, &out), "HG_Get_output");
    if (out.error[0] != '\0') fail("the server did not save %s: %s", path, out.error);
    if (out.size != size) fail("the server saved %" PRIu64 " bytes of %s", out.size, path);
    printf("sent %" PRIu64 " bytes in %.3f s: %.0f MiB/s\n", size, seconds,
           (double)size / seconds / (1 << 20));
    check(HG_Free_output(handle, &out), "HG_Free_output");
    check(HG_Destroy(handle), "HG_Destroy");
    check(HG_Bulk_free(in.bytes), "HG_Bulk_free");
    munmap(bytes, size);
}

int main(int argc, char** argv) {
    struct net net;
    hg_addr_t server;

    if (argc < 3 || argc > 4 || (argc == 4 && strcmp(argv[3], "--shutdown") != 0))
        fail("usage: file_client ADDRESS FILE [--shutdown]");
    server = open_client(&net, argv[1]);
    save(&net, server, argv[2]);
    if (argc == 4) call_shutdown(&net, server);
    check(HG_Addr_free(net.hg_class, server), "HG_Addr_free");
    close_net(&net);
    return 0;
}
