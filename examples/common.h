/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every example needs and none is about: opening and closing a net, telling its address,
 * driving progress, calling a procedure and waiting for the answer, and the "shutdown" procedure
 * that ends a server. One thread uses it. Errors are printed with their cause and end the program.
 */
#ifndef EXAMPLES_COMMON_H
#define EXAMPLES_COMMON_H

#include <mercury.h>
#include <mercury_macros.h>
#include <mercury_proc_string.h>
#include <stddef.h>

/* An opened net and its one context; `stopping` ends serve(). */
struct net {
    hg_class_t* hg_class;
    hg_context_t* context;
    hg_id_t shutdown_id;
    int stopping;
};

/* Prints "program: what" to stderr, printf-like, and exits with 1. */
void fail(const char* what, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Fails with the name of the error unless `ret` is HG_SUCCESS. */
void check(hg_return_t ret, const char* what);

/* Seconds since some moment, for differences. */
double now(void);

/* Opens a net that listens at `info`, for example "tcp" or "sm", and registers "shutdown". */
void open_server(struct net* net, const char* info);

/* Opens a net that can call the server at `address`, and looks the address up. Free it before
 * close. */
hg_addr_t open_client(struct net* net, const char* address);

/* Prints the net's own address and, unless `file` is NULL, writes it there in one step. */
void tell_address(struct net* net, const char* file);

/* Serves calls until one of "shutdown" has been answered, or SIGINT or SIGTERM arrives. */
void serve(struct net* net);

/*
 * Calls procedure `id` at `server` with `in` (or NULL) and waits until it is answered (or, if it
 * has no answer, sent). Returns the handle, whose output can be got; the caller destroys it.
 */
hg_handle_t call(struct net* net, hg_addr_t server, hg_id_t id, void* in);

/* Calls "shutdown" at `server`. */
void call_shutdown(struct net* net, hg_addr_t server);

/* Closes what open_server or open_client opened. */
void close_net(struct net* net);

/*
 * Creates the file `name` in `directory` for writing and returns its descriptor, or -1 with errno
 * set. A name that a peer sent must not lead out of the directory: one with a slash or a leading
 * dot is EINVAL.
 */
int create_in(const char* directory, const char* name);

/* Writes all of `size` bytes at `offset`; 0, or -1 with errno set. May block on the disk. */
int write_at(int fd, const void* bytes, size_t size, hg_size_t offset);

/* The arguments of a server: INFO [--address-file FILE] and, where `directory` is not NULL,
 * DIRECTORY. */
struct server_arguments {
    const char* info;
    const char* address_file;
    const char* directory;
};

/* Reads a server's arguments or fails with the usage. */
struct server_arguments read_server_arguments(int argc, char** argv, int wants_directory);

#endif /* EXAMPLES_COMMON_H */
