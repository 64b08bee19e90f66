/* SPDX-License-Identifier: BSD-3-Clause */
/* See common.h. */
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How long one wait for the network may take before signals are looked at again. */
#define WAIT_MS 200

extern char* program_invocation_short_name;

static volatile sig_atomic_t interrupted = 0;

void fail(const char* what, ...) {
    va_list args;

    fprintf(stderr, "%s: ", program_invocation_short_name);
    va_start(args, what);
    vfprintf(stderr, what, args);
    va_end(args);
    fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

void check(hg_return_t ret, const char* what) {
    if (ret != HG_SUCCESS) fail("%s: %s", what, HG_Error_to_string(ret));
}

double now(void) {
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Runs every callback that is due. */
static void trigger_all(struct net* net) {
    unsigned int count = 0;
    hg_return_t ret;

    do {
        ret = HG_Trigger(net->context, 0, 1, &count);
    } while (ret == HG_SUCCESS && count > 0);
    if (ret != HG_TIMEOUT) check(ret, "HG_Trigger");
}

static void progress(struct net* net) {
    hg_return_t ret = HG_Progress(net->context, WAIT_MS);

    if (ret != HG_TIMEOUT) check(ret, "HG_Progress");
}

static hg_return_t shutdown_answered(const struct hg_cb_info* info) {
    struct net* net = info->arg;

    net->stopping = 1;
    return HG_SUCCESS;
}

static hg_return_t shutdown_called(hg_handle_t handle) {
    struct net* net = HG_Class_get_data(HG_Get_info(handle)->hg_class);

    /* Not before the answer has left: the caller waits for it. */
    check(HG_Respond(handle, shutdown_answered, net, NULL), "answering the shutdown");
    return HG_Destroy(handle);
}

static void open_net(struct net* net, const char* info, uint8_t listen) {
    memset(net, 0, sizeof *net);
    net->hg_class = HG_Init(info, listen);
    if (net->hg_class == NULL) fail("cannot open a net at \"%s\"", info);
    net->context = HG_Context_create(net->hg_class);
    if (net->context == NULL) fail("cannot create a context at \"%s\"", info);
    check(HG_Class_set_data(net->hg_class, net, NULL), "HG_Class_set_data");
    net->shutdown_id = MERCURY_REGISTER(net->hg_class, "shutdown", void, void, shutdown_called);
    if (net->shutdown_id == 0) fail("cannot register shutdown");
}

void open_server(struct net* net, const char* info) {
    open_net(net, info, HG_TRUE);
}

hg_addr_t open_client(struct net* net, const char* address) {
    const char* end = strstr(address, "://");
    hg_addr_t server = HG_ADDR_NULL;
    char info[64];

    if (end == NULL || (size_t)(end - address) >= sizeof info)
        fail("\"%s\" is not an address, which looks like tcp://127.0.0.1:4242", address);
    snprintf(info, sizeof info, "%.*s", (int)(end - address), address);
    open_net(net, info, HG_FALSE);
    check(HG_Addr_lookup2(net->hg_class, address, &server), address);
    return server;
}

static void write_address_file(const char* file, const char* address) {
    char temporary[4096];
    FILE* stream;

    if (snprintf(temporary, sizeof temporary, "%s.new", file) >= (int)sizeof temporary)
        fail("the name of the address file is too long");
    stream = fopen(temporary, "w");
    if (stream == NULL) fail("%s: %s", temporary, strerror(errno));
    if (fprintf(stream, "%s\n", address) < 0 || fclose(stream) != 0)
        fail("%s: %s", temporary, strerror(errno));
    /* Renamed, so that who waits for the file never reads half an address. */
    if (rename(temporary, file) != 0) fail("%s: %s", file, strerror(errno));
}

void tell_address(struct net* net, const char* file) {
    hg_addr_t self = HG_ADDR_NULL;
    char address[1024];
    hg_size_t size = sizeof address;

    check(HG_Addr_self(net->hg_class, &self), "HG_Addr_self");
    check(HG_Addr_to_string(net->hg_class, address, &size, self), "HG_Addr_to_string");
    check(HG_Addr_free(net->hg_class, self), "HG_Addr_free");
    printf("listening at %s\n", address);
    fflush(stdout);
    if (file != NULL) write_address_file(file, address);
}

static void interrupt(int signal_number) {
    (void)signal_number;
    interrupted = 1;
}

void serve(struct net* net) {
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = interrupt;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    for (;;) {
        trigger_all(net);
        if (net->stopping || interrupted) return;
        progress(net);
    }
}

struct answer {
    int done;
    hg_return_t ret;
};

static hg_return_t answered(const struct hg_cb_info* info) {
    struct answer* answer = info->arg;

    answer->ret = info->ret;
    answer->done = 1;
    return HG_SUCCESS;
}

hg_handle_t call(struct net* net, hg_addr_t server, hg_id_t id, void* in) {
    struct answer answer = {0, HG_OTHER_ERROR};
    hg_handle_t handle = HG_HANDLE_NULL;

    check(HG_Create(net->context, server, id, &handle), "HG_Create");
    check(HG_Forward(handle, answered, &answer, in), "HG_Forward");
    for (;;) {
        trigger_all(net);
        if (answer.done) break;
        progress(net);
    }
    check(answer.ret, "the call");
    return handle;
}

void call_shutdown(struct net* net, hg_addr_t server) {
    check(HG_Destroy(call(net, server, net->shutdown_id, NULL)), "HG_Destroy");
}

void close_net(struct net* net) {
    check(HG_Context_destroy(net->context), "HG_Context_destroy");
    check(HG_Finalize(net->hg_class), "HG_Finalize");
}

int create_in(const char* directory, const char* name) {
    char path[4096];

    if (name == NULL || name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL) {
        errno = EINVAL;
        return -1;
    }
    if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
}

int write_at(int fd, const void* bytes, size_t size, hg_size_t offset) {
    const char* next = bytes;

    while (size > 0) {
        ssize_t written = pwrite(fd, next, size, (off_t)offset);

        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return -1;
        next += written;
        size -= (size_t)written;
        offset += (hg_size_t)written;
    }
    return 0;
}

struct server_arguments read_server_arguments(int argc, char** argv, int wants_directory) {
    struct server_arguments arguments = {NULL, NULL, NULL};
    int next;

    for (next = 1; next < argc; next++) {
        if (strcmp(argv[next], "--address-file") == 0 && next + 1 < argc)
            arguments.address_file = argv[++next];
        else if (argv[next][0] != '-' && arguments.info == NULL)
            arguments.info = argv[next];
        else if (argv[next][0] != '-' && wants_directory && arguments.directory == NULL)
            arguments.directory = argv[next];
        else
            fail("unexpected argument %s", argv[next]);
    }
    if (arguments.info == NULL || (wants_directory && arguments.directory == NULL))
        fail("usage: %s INFO%s [--address-file FILE]; INFO is, for example, tcp://127.0.0.1 or sm",
             program_invocation_short_name, wants_directory ? " DIRECTORY" : "");
    return arguments;
}
