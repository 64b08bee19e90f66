/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A program as users write them against the installed headers: it calls a procedure of its own
 * through the network, with strings, numbers and a region of memory as arguments, and checks what
 * comes back. C11 and C++17 alike. Usage: user_program [info string]; exits 0 when everything came
 * back right.
 */
#include <mercury.h>
#include <mercury_bulk.h>
#include <mercury_macros.h>
#include <mercury_proc_string.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef HG_HAS_BOOST
#error "MERCURY_GEN_PROC is not available"
#endif

MERCURY_GEN_PROC(store_in_t, ((hg_const_string_t)(name))((hg_uint32_t)(factor))((hg_size_t)(size))(
                                 (hg_bulk_t)(data)))
MERCURY_GEN_PROC(store_out_t, ((hg_string_t)(message))((hg_int32_t)(status))((hg_uint64_t)(sum)))

#define DATA_SIZE 4096

/* What the target remembers while it pulls. */
struct store {
    hg_handle_t handle;
    store_in_t in;
    hg_bulk_t local;
};

/* What the origin waits for. */
struct call {
    int done;
    hg_return_t ret;
};

static void check(hg_return_t ret, const char* what) {
    if (ret == HG_SUCCESS) return;
    fprintf(stderr, "%s: %s\n", what, HG_Error_to_string(ret));
    exit(EXIT_FAILURE);
}

static void expect(int condition, const char* what) {
    if (condition) return;
    fprintf(stderr, "%s\n", what);
    exit(EXIT_FAILURE);
}

static hg_return_t store_pulled(const struct hg_cb_info* info) {
    struct store* store = (struct store*)info->arg;
    void* bytes = NULL;
    hg_size_t size = 0;
    hg_size_t i;
    uint32_t count = 0;
    char message[64];
    store_out_t out;

    check(info->ret, "pull");
    expect(info->type == HG_CB_BULK && info->info.bulk.size == DATA_SIZE, "unexpected transfer");
    check(HG_Bulk_access(store->local, 0, DATA_SIZE, HG_BULK_READWRITE, 1, &bytes, &size, &count),
          "HG_Bulk_access");
    expect(count == 1 && size == DATA_SIZE, "the region is not in one piece");

    out.sum = 0;
    for (i = 0; i < size; i++)
        out.sum += (uint64_t)((unsigned char*)bytes)[i] * store->in.factor;
    snprintf(message, sizeof message, "stored %s", store->in.name);
    out.message = message;
    out.status = -1;
    check(HG_Respond(store->handle, NULL, NULL, &out), "HG_Respond");

    check(HG_Bulk_free(store->local), "HG_Bulk_free");
    check(HG_Free_input(store->handle, &store->in), "HG_Free_input");
    check(HG_Destroy(store->handle), "HG_Destroy");
    free(store);
    return HG_SUCCESS;
}

static hg_return_t store_called(hg_handle_t handle) {
    const struct hg_info* info = HG_Get_info(handle);
    struct store* store = (struct store*)calloc(1, sizeof *store);
    hg_size_t size = DATA_SIZE;

    expect(store != NULL, "no memory");
    store->handle = handle;
    check(HG_Get_input(handle, &store->in), "HG_Get_input");
    expect(store->in.size == DATA_SIZE, "unexpected size");
    expect(HG_Bulk_get_size(store->in.data) == DATA_SIZE, "unexpected size of the region");
    check(HG_Bulk_create(info->hg_class, 1, NULL, &size, HG_BULK_READWRITE, &store->local),
          "HG_Bulk_create");
    check(HG_Bulk_transfer(info->context, store_pulled, store, HG_BULK_PULL, info->addr,
                           store->in.data, 0, store->local, 0, DATA_SIZE, HG_OP_ID_IGNORE),
          "HG_Bulk_transfer");
    return HG_SUCCESS;
}

static hg_return_t call_done(const struct hg_cb_info* info) {
    struct call* call = (struct call*)info->arg;

    call->ret = info->ret;
    call->done = 1;
    return HG_SUCCESS;
}

/* Progress and trigger until `done`, or, with NULL, until nothing is left. */
static void run(hg_context_t* context, const int* done) {
    for (;;) {
        unsigned int actual = 0;
        hg_return_t ret;

        do {
            ret = HG_Trigger(context, 0, 1, &actual);
        } while (ret == HG_SUCCESS && actual > 0);
        if (done != NULL && *done) return;
        ret = HG_Progress(context, done != NULL ? 1000 : 0);
        if (ret == HG_TIMEOUT && done == NULL) return;
        if (ret != HG_TIMEOUT) check(ret, "HG_Progress");
    }
}

static hg_addr_t own_address_by_name(hg_class_t* hg_class) {
    hg_addr_t self = HG_ADDR_NULL;
    hg_addr_t found = HG_ADDR_NULL;
    char name[256];
    hg_size_t size = sizeof name;

    check(HG_Addr_self(hg_class, &self), "HG_Addr_self");
    check(HG_Addr_to_string(hg_class, name, &size, self), "HG_Addr_to_string");
    check(HG_Addr_lookup2(hg_class, name, &found), "HG_Addr_lookup2");
    check(HG_Addr_free(hg_class, self), "HG_Addr_free");
    return found;
}

static void call_store(hg_class_t* hg_class, hg_context_t* context, hg_addr_t target, hg_id_t id) {
    static unsigned char data[DATA_SIZE];
    void* pieces[1];
    hg_size_t size = sizeof data;
    hg_handle_t handle = HG_HANDLE_NULL;
    struct call call = {0, HG_OTHER_ERROR};
    store_in_t in;
    store_out_t out;

    memset(data, 1, sizeof data);
    pieces[0] = data;
    in.name = "a name";
    in.factor = 3;
    in.size = sizeof data;
    check(HG_Bulk_create(hg_class, 1, pieces, &size, HG_BULK_READ_ONLY, &in.data),
          "HG_Bulk_create");

    check(HG_Create(context, target, id, &handle), "HG_Create");
    check(HG_Forward(handle, call_done, &call, &in), "HG_Forward");
    run(context, &call.done);
    check(call.ret, "the call");

    memset(&out, 0, sizeof out);
    check(HG_Get_output(handle, &out), "HG_Get_output");
    expect(strcmp(out.message, "stored a name") == 0, "wrong message");
    expect(out.status == -1, "wrong status");
    expect(out.sum == 3 * DATA_SIZE, "wrong sum");
    check(HG_Free_output(handle, &out), "HG_Free_output");
    check(HG_Destroy(handle), "HG_Destroy");
    check(HG_Bulk_free(in.data), "HG_Bulk_free");
}

int main(int argc, char** argv) {
    struct hg_init_info options = HG_INIT_INFO_INITIALIZER;
    hg_class_t* hg_class;
    hg_context_t* context;
    hg_addr_t target;
    hg_id_t id;
    uint8_t registered = HG_FALSE;
    unsigned int major = 0;

    check(HG_Version_get(&major, NULL, NULL), "HG_Version_get");
    expect(major == HG_VERSION_MAJOR, "headers and library differ");

    options.request_post_init = 16;
    hg_class = HG_Init_opt2(argc > 1 ? argv[1] : "tcp://127.0.0.1:0", HG_TRUE,
                            HG_VERSION(HG_VERSION_MAJOR, HG_VERSION_MINOR), &options);
    expect(hg_class != NULL, "HG_Init_opt2");
    context = HG_Context_create(hg_class);
    expect(context != NULL, "HG_Context_create");

    id = MERCURY_REGISTER(hg_class, "store", store_in_t, store_out_t, store_called);
    expect(id != 0, "MERCURY_REGISTER");
    check(HG_Registered(hg_class, id, &registered), "HG_Registered");
    expect(registered == HG_TRUE, "not registered");

    target = own_address_by_name(hg_class);
    call_store(hg_class, context, target, id);
    check(HG_Addr_free(hg_class, target), "HG_Addr_free");

    run(context, NULL);
    check(HG_Context_destroy(context), "HG_Context_destroy");
    check(HG_Finalize(hg_class), "HG_Finalize");
    return EXIT_SUCCESS;
}
