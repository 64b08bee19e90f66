/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Serves "save_stream": pulls a client's memory, which may lie in many places, through a window of
 * buffers and writes it to disk. While one buffer is written, by the writer's thread, the others
 * are being filled; a buffer that is written is at once filled with the next piece. Memory in use:
 * WINDOW * PIECE_SIZE a stream, whatever its size.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipeline.h"
#include "writer.h"

#define WINDOW 8
#define PIECE_SIZE ((hg_size_t)1024 * 1024)

struct stream;

/* One buffer of the window: it is being filled, or its job is with the writer, or it is idle. */
struct slot {
    struct job job;
    struct stream* stream;
    void* buffer;
    hg_bulk_t bulk;
    hg_size_t offset;
    hg_size_t size;
};

/* One call. The network's thread and the writer's change what the mutex guards. */
struct stream {
    hg_handle_t handle;
    stream_in_t in;
    int fd;
    hg_size_t size;
    struct slot slots[WINDOW];
    pthread_mutex_t mutex;
    hg_size_t next;  /* offset of the next piece; guarded */
    unsigned busy;   /* slots that are not idle; guarded */
    char error[256]; /* the first error; guarded */
};

static const char* directory;
static struct writer writer;

static void answer(struct stream* stream) {
    stream_out_t out;
    int slot;

    if (stream->fd >= 0 && close(stream->fd) != 0 && stream->error[0] == '\0')
        strncat(stream->error, strerror(errno), sizeof stream->error - 1);
    out.size = stream->error[0] == '\0' ? stream->size : 0;
    out.error = stream->error;
    check(HG_Respond(stream->handle, NULL, NULL, &out), "HG_Respond");
    for (slot = 0; slot < WINDOW; slot++) {
        check(HG_Bulk_free(stream->slots[slot].bulk), "HG_Bulk_free");
        free(stream->slots[slot].buffer);
    }
    check(HG_Free_input(stream->handle, &stream->in), "HG_Free_input");
    check(HG_Destroy(stream->handle), "HG_Destroy");
    pthread_mutex_destroy(&stream->mutex);
    free(stream);
}

/* The slot takes no further piece; the last one answers the call. `error` is why, or NULL. */
static void retire(struct slot* slot, const char* error) {
    struct stream* stream = slot->stream;
    int last;

    pthread_mutex_lock(&stream->mutex);
    if (error != NULL && stream->error[0] == '\0')
        strncat(stream->error, error, sizeof stream->error - 1);
    last = --stream->busy == 0;
    pthread_mutex_unlock(&stream->mutex);
    if (last) answer(stream);
}

static hg_return_t filled(const struct hg_cb_info* info);

/* Fills the slot with the next piece, if there is one. Any thread. */
static void fill(struct slot* slot) {
    struct stream* stream = slot->stream;
    const struct hg_info* info = HG_Get_info(stream->handle);
    hg_return_t ret;

    pthread_mutex_lock(&stream->mutex);
    slot->offset = stream->next;
    slot->size = stream->error[0] != '\0' ? 0 : stream->size - stream->next;
    if (slot->size > PIECE_SIZE) slot->size = PIECE_SIZE;
    stream->next += slot->size;
    pthread_mutex_unlock(&stream->mutex);
    if (slot->size == 0) {
        retire(slot, NULL);
        return;
    }
    ret = HG_Bulk_transfer(info->context, filled, slot, HG_BULK_PULL, info->addr, stream->in.pieces,
                           slot->offset, slot->bulk, 0, slot->size, HG_OP_ID_IGNORE);
    if (ret != HG_SUCCESS) retire(slot, HG_Error_to_string(ret));
}

/* In the writer's thread. */
static void write_piece(struct job* job) {
    struct slot* slot = (struct slot*)job; /* its first member */

    if (write_at(slot->stream->fd, slot->buffer, slot->size, slot->offset) != 0)
        retire(slot, strerror(errno));
    else
        fill(slot);
}

static hg_return_t filled(const struct hg_cb_info* info) {
    struct slot* slot = info->arg;

    if (info->ret != HG_SUCCESS)
        retire(slot, HG_Error_to_string(info->ret));
    else
        writer_add(&writer, &slot->job);
    return HG_SUCCESS;
}

static void open_window(struct stream* stream, hg_class_t* hg_class) {
    hg_size_t size = PIECE_SIZE;
    int slot;

    for (slot = 0; slot < WINDOW; slot++) {
        struct slot* next = &stream->slots[slot];

        next->stream = stream;
        next->job.run = write_piece;
        next->buffer = malloc(PIECE_SIZE);
        if (next->buffer == NULL) fail("no memory");
        check(HG_Bulk_create(hg_class, 1, &next->buffer, &size, HG_BULK_WRITE_ONLY, &next->bulk),
              "HG_Bulk_create");
    }
}

static hg_return_t refuse(hg_handle_t handle, const char* error) {
    stream_out_t out = {0, (hg_string_t)error};

    check(HG_Respond(handle, NULL, NULL, &out), "HG_Respond");
    return HG_Destroy(handle);
}

static hg_return_t save_called(hg_handle_t handle) {
    struct stream* stream = calloc(1, sizeof *stream);
    hg_return_t ret;
    int slot;

    if (stream == NULL) return refuse(handle, "no memory");
    ret = HG_Get_input(handle, &stream->in);
    if (ret != HG_SUCCESS) {
        free(stream);
        return refuse(handle, HG_Error_to_string(ret));
    }
    stream->handle = handle;
    /* A peer may send no region at all. */
    stream->size = stream->in.pieces != HG_BULK_NULL ? HG_Bulk_get_size(stream->in.pieces) : 0;
    stream->busy = WINDOW;
    pthread_mutex_init(&stream->mutex, NULL);
    open_window(stream, HG_Get_info(handle)->hg_class);
    stream->fd = create_in(directory, stream->in.name);
    if (stream->fd < 0) strncat(stream->error, strerror(errno), sizeof stream->error - 1);
    for (slot = 0; slot < WINDOW; slot++)
        fill(&stream->slots[slot]);
    return HG_SUCCESS;
}

int main(int argc, char** argv) {
    struct server_arguments arguments = read_server_arguments(argc, argv, 1);
    struct net net;
    int error;

    directory = arguments.directory;
    error = writer_start(&writer);
    if (error != 0) fail("cannot start the writer: %s", strerror(error));
    open_server(&net, arguments.info);
    if (MERCURY_REGISTER(net.hg_class, "save_stream", stream_in_t, stream_out_t, save_called) == 0)
        fail("cannot register save_stream");
    tell_address(&net, arguments.address_file);
    serve(&net);
    writer_stop(&writer);
    close_net(&net);
    return 0;
}
