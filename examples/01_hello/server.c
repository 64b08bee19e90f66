/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints a line for every call of "hello", which has no arguments and no answer. */
#include <stdio.h>

#include "common.h"

static hg_return_t hello_called(hg_handle_t handle) {
    printf("hello\n");
    fflush(stdout);
    return HG_Destroy(handle);
}

int main(int argc, char** argv) {
    struct server_arguments arguments = read_server_arguments(argc, argv, 0);
    struct net net;
    hg_id_t id;

    open_server(&net, arguments.info);
    id = MERCURY_REGISTER(net.hg_class, "hello", void, void, hello_called);
    check(HG_Registered_disable_response(net.hg_class, id, HG_TRUE), "hello");
    tell_address(&net, arguments.address_file);
    serve(&net);
    close_net(&net);
    return 0;
}
