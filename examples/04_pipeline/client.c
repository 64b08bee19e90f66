/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads a file into many pieces of memory of different sizes, describes them as one region, and
 * lets the server pull and save it: pipeline_client ADDRESS FILE [--shutdown].
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline.h"

#define LARGEST_PIECE ((hg_size_t)3 * 512 * 1024)

/* The file's bytes, where they are. */
struct pieces {
    uint32_t count;
    void** bytes;
    hg_size_t* sizes;
    hg_size_t total;
};

/* Sizes that are no multiple of anything, so that no piece of the server's is one piece of these.
 */
static hg_size_t size_of_piece(uint32_t index) {
    return LARGEST_PIECE - (hg_size_t)(index % 13) * 70001;
}

static void add_piece(struct pieces* pieces, hg_size_t size) {
    pieces->bytes = realloc(pieces->bytes, (pieces->count + 1) * sizeof *pieces->bytes);
    pieces->sizes = realloc(pieces->sizes, (pieces->count + 1) * sizeof *pieces->sizes);
    if (pieces->bytes == NULL || pieces->sizes == NULL) fail("no memory");
    pieces->bytes[pieces->count] = malloc(size);
    if (pieces->bytes[pieces->count] == NULL) fail("no memory");
    pieces->sizes[pieces->count++] = size;
    pieces->total += size;
}

static void read_pieces(struct pieces* pieces, const char* path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;

    memset(pieces, 0, sizeof *pieces);
    if (fd < 0 || fstat(fd, &status) != 0) fail("%s: %s", path, strerror(errno));
    if (status.st_size == 0) fail("%s: is empty", path);
    while (pieces->total < (hg_size_t)status.st_size) {
        hg_size_t left = (hg_size_t)status.st_size - pieces->total;
        hg_size_t size = size_of_piece(pieces->count);
        hg_size_t done = 0;

        add_piece(pieces, left < size ? left : size);
        size = pieces->sizes[pieces->count - 1];
        while (done < size) {
            char* to = (char*)pieces->bytes[pieces->count - 1] + done;
            ssize_t got = read(fd, to, size - done);

            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) fail("%s: %s", path, got < 0 ? strerror(errno) : "has become shorter");
            done += (hg_size_t)got;
        }
    }
    close(fd);
}

static void free_pieces(struct pieces* pieces) {
    while (pieces->count > 0)
        free(pieces->bytes[--pieces->count]);
    free(pieces->bytes);
    free(pieces->sizes);
}

static void save(struct net* net, hg_addr_t server, const char* path) {
    hg_id_t id = MERCURY_REGISTER(net->hg_class, "save_stream", stream_in_t, stream_out_t, NULL);
    const char* slash = strrchr(path, '/');
    struct pieces pieces;
    hg_handle_t handle;
    double start;
    double seconds;
    stream_in_t in;
    stream_out_t out;

    read_pieces(&pieces, path);
    in.name = (hg_string_t)(slash != NULL ? slash + 1 : path);
    check(HG_Bulk_create(net->hg_class, pieces.count, pieces.bytes, pieces.sizes, HG_BULK_READ_ONLY,
                         &in.pieces),
          "HG_Bulk_create");
    start = now();
    handle = call(net, server, id, &in);
    seconds = now() - start;
    check(HG_Get_output(handle, &out), "HG_Get_output");
    if (out.error[0] != '\0') fail("the server did not save %s: %s", path, out.error);
    if (out.size != pieces.total) fail("the server saved %" PRIu64 " bytes of %s", out.size, path);
    printf("sent %" PRIu64 " bytes in %u pieces in %.3f s: %.0f MiB/s\n", pieces.total,
           pieces.count, seconds, (double)pieces.total / seconds / (1 << 20));
    check(HG_Free_output(handle, &out), "HG_Free_output");
    check(HG_Destroy(handle), "HG_Destroy");
    check(HG_Bulk_free(in.pieces), "HG_Bulk_free");
    free_pieces(&pieces);
}

int main(int argc, char** argv) {
    struct net net;
    hg_addr_t server;

    if (argc < 3 || argc > 4 || (argc == 4 && strcmp(argv[3], "--shutdown") != 0))
        fail("usage: pipeline_client ADDRESS FILE [--shutdown]");
    server = open_client(&net, argv[1]);
    save(&net, server, argv[2]);
    if (argc == 4) call_shutdown(&net, server);
    check(HG_Addr_free(net.hg_class, server), "HG_Addr_free");
    close_net(&net);
    return 0;
}
