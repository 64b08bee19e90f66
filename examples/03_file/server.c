/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Serves "save_file": pulls the bytes of a client's file, a piece at a time through one buffer, and
 * saves them in a directory. A piece is pulled, written, and only then the next one is pulled.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"

#define PIECE_SIZE ((hg_size_t)16 * 1024 * 1024)

/* One file on its way. */
struct saving {
    hg_handle_t handle;
    save_in_t in;
    int fd;
    hg_size_t size;
    hg_size_t offset;
    hg_size_t piece_size;
    void* buffer;
    hg_bulk_t piece;
};

static const char* directory;

static void end(struct saving* saving, const char* error) {
    save_out_t out;
    char text[256] = "";

    /* Copied first: closing may change what the error's text is. */
    strncat(text, error, sizeof text - 1);
    if (saving->fd >= 0 && close(saving->fd) != 0 && text[0] == '\0')
        strncat(text, strerror(errno), sizeof text - 1);
    out.size = saving->offset;
    out.error = text;
    check(HG_Respond(saving->handle, NULL, NULL, &out), "HG_Respond");
    check(HG_Bulk_free(saving->piece), "HG_Bulk_free");
    check(HG_Free_input(saving->handle, &saving->in), "HG_Free_input");
    check(HG_Destroy(saving->handle), "HG_Destroy");
    free(saving->buffer);
    free(saving);
}

static hg_return_t piece_pulled(const struct hg_cb_info* info);

static void pull_next(struct saving* saving) {
    const struct hg_info* info = HG_Get_info(saving->handle);
    hg_size_t left = saving->size - saving->offset;
    hg_return_t ret;

    if (left == 0) {
        end(saving, "");
        return;
    }
    saving->piece_size = left < PIECE_SIZE ? left : PIECE_SIZE;
    ret = HG_Bulk_transfer(info->context, piece_pulled, saving, HG_BULK_PULL, info->addr,
                           saving->in.bytes, saving->offset, saving->piece, 0, saving->piece_size,
                           HG_OP_ID_IGNORE);
    if (ret != HG_SUCCESS) end(saving, HG_Error_to_string(ret));
}

static hg_return_t piece_pulled(const struct hg_cb_info* info) {
    struct saving* saving = info->arg;

    if (info->ret != HG_SUCCESS) {
        end(saving, HG_Error_to_string(info->ret));
    } else if (write_at(saving->fd, saving->buffer, saving->piece_size, saving->offset) != 0) {
        end(saving, strerror(errno));
    } else {
        saving->offset += saving->piece_size;
        pull_next(saving);
    }
    return HG_SUCCESS;
}

static hg_return_t refuse(hg_handle_t handle, const char* error) {
    save_out_t out = {0, (hg_string_t)error};

    check(HG_Respond(handle, NULL, NULL, &out), "HG_Respond");
    return HG_Destroy(handle);
}

static hg_return_t save_called(hg_handle_t handle) {
    const struct hg_info* info = HG_Get_info(handle);
    struct saving* saving = calloc(1, sizeof *saving);
    hg_size_t size = PIECE_SIZE;
    hg_return_t ret;

    if (saving == NULL) return refuse(handle, "no memory");
    ret = HG_Get_input(handle, &saving->in);
    if (ret != HG_SUCCESS) {
        free(saving);
        return refuse(handle, HG_Error_to_string(ret));
    }
    saving->handle = handle;
    /* A peer may send no region at all. */
    saving->size = saving->in.bytes != HG_BULK_NULL ? HG_Bulk_get_size(saving->in.bytes) : 0;
    saving->fd = -1;
    saving->buffer = malloc(PIECE_SIZE);
    if (saving->buffer == NULL) fail("no memory");
    check(HG_Bulk_create(info->hg_class, 1, &saving->buffer, &size, HG_BULK_WRITE_ONLY,
                         &saving->piece),
          "HG_Bulk_create");
    saving->fd = create_in(directory, saving->in.name);
    if (saving->fd < 0)
        end(saving, strerror(errno));
    else
        pull_next(saving);
    return HG_SUCCESS;
}

int main(int argc, char** argv) {
    struct server_arguments arguments = read_server_arguments(argc, argv, 1);
    struct net net;

    directory = arguments.directory;
    open_server(&net, arguments.info);
    if (MERCURY_REGISTER(net.hg_class, "save_file", save_in_t, save_out_t, save_called) == 0)
        fail("cannot register save_file");
    tell_address(&net, arguments.address_file);
    serve(&net);
    close_net(&net);
    return 0;
}
