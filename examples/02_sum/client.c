/* SPDX-License-Identifier: BSD-3-Clause */
/* Has two numbers added by the server and prints the sum: sum_client ADDRESS A B [--shutdown]. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sum.h"

static int64_t number(const char* text) {
    char* end = NULL;
    int64_t value = strtoll(text, &end, 10);

    if (end == text || *end != '\0') fail("%s is not a number", text);
    return value;
}

int main(int argc, char** argv) {
    struct net net;
    hg_addr_t server;
    hg_handle_t handle;
    hg_id_t id;
    sum_in_t in;
    sum_out_t out;

    if (argc < 4 || argc > 5 || (argc == 5 && strcmp(argv[4], "--shutdown") != 0))
        fail("usage: sum_client ADDRESS A B [--shutdown]");
    in.a = number(argv[2]);
    in.b = number(argv[3]);
    server = open_client(&net, argv[1]);
    id = MERCURY_REGISTER(net.hg_class, "sum", sum_in_t, sum_out_t, NULL);

    handle = call(&net, server, id, &in);
    check(HG_Get_output(handle, &out), "HG_Get_output");
    if (out.failed) fail("the sum does not fit in 64 bits");
    printf("%" PRId64 " + %" PRId64 " = %" PRId64 "\n", in.a, in.b, out.sum);
    check(HG_Free_output(handle, &out), "HG_Free_output");
    check(HG_Destroy(handle), "HG_Destroy");
    if (argc == 5) call_shutdown(&net, server);

    check(HG_Addr_free(net.hg_class, server), "HG_Addr_free");
    close_net(&net);
    return 0;
}
