/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls "hello" and, with --shutdown, ends the server: hello_client ADDRESS [--shutdown]. */
#include <string.h>

#include "common.h"

int main(int argc, char** argv) {
    struct net net;
    hg_addr_t server;
    hg_id_t id;

    if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[2], "--shutdown") != 0))
        fail("usage: hello_client ADDRESS [--shutdown]");
    server = open_client(&net, argv[1]);
    id = MERCURY_REGISTER(net.hg_class, "hello", void, void, NULL);
    check(HG_Registered_disable_response(net.hg_class, id, HG_TRUE), "hello");

    /* The call is over when it is sent; whether it arrived is not known. */
    check(HG_Destroy(call(&net, server, id, NULL)), "HG_Destroy");
    if (argc == 3) call_shutdown(&net, server);

    check(HG_Addr_free(net.hg_class, server), "HG_Addr_free");
    close_net(&net);
    return 0;
}
