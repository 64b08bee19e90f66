/* SPDX-License-Identifier: BSD-3-Clause */
/* Serves "sum": two numbers come, their sum goes back. */
#include "sum.h"

static hg_return_t sum_called(hg_handle_t handle) {
    sum_in_t in;
    sum_out_t out = {0, HG_TRUE};

    /* Arguments that cannot be decoded are answered, too: the caller waits. */
    if (HG_Get_input(handle, &in) == HG_SUCCESS) {
        out.failed = __builtin_add_overflow(in.a, in.b, &out.sum);
        check(HG_Free_input(handle, &in), "HG_Free_input");
    }
    check(HG_Respond(handle, NULL, NULL, &out), "HG_Respond");
    return HG_Destroy(handle);
}

int main(int argc, char** argv) {
    struct server_arguments arguments = read_server_arguments(argc, argv, 0);
    struct net net;

    open_server(&net, arguments.info);
    if (MERCURY_REGISTER(net.hg_class, "sum", sum_in_t, sum_out_t, sum_called) == 0)
        fail("cannot register sum");
    tell_address(&net, arguments.address_file);
    serve(&net);
    close_net(&net);
    return 0;
}
