// SPDX-License-Identifier: BSD-3-Clause
#include "tests/fault/workload.hpp"

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <memory>
#include <vector>

#include "mercury.h"
#include "mercury_bulk.h"
#include "tests/integration/blob.hpp"
#include "tests/support/watchdog.hpp"

namespace cinnabar::fault {
namespace {

using integration::Blob;
using integration::BulkRequest;

constexpr std::size_t small_size = 100, large_size = 30000, bulk_size = 300000;
constexpr int idle_rounds = 200;  // without anything happening, until the rest is cancelled

// An operation that calls back.
struct Operation {
    const char* name;
    int accepted = 0;
    int ended = 0;
    hg_handle_t handle = HG_HANDLE_NULL;  // to cancel it, until it has ended
    hg_op_id_t transfer = HG_OP_ID_NULL;
    hg_return_t ret = HG_RETURN_MAX;
    Blob expected{};
    // Of a transfer at the server: what goes on afterwards.
    hg_handle_t request = HG_HANDLE_NULL;
    BulkRequest input{};
    std::vector<unsigned char> memory{};
    hg_bulk_t region = HG_BULK_NULL;
};

struct Workload;

struct End {
    hg_class_t* cls = nullptr;
    hg_context_t* context = nullptr;
    hg_id_t echo = 0, notice = 0, bulk = 0, held = 0;
};

struct Workload {
    explicit Workload(const char* name) : protocol(name) {}

    bool open();
    bool open(End& end, bool listen);
    void register_all(End& end);
    void start();
    void call(hg_id_t id, hg_addr_t to, const char* name, std::size_t size, bool answered);
    void transfer(hg_bulk_op_t op, const char* name);
    void forward(Operation& operation, hg_id_t id, hg_addr_t to, void* in);
    Operation& add(const char* name);
    unsigned step();
    void finish();
    void cancel_rest();
    bool all_ended() const;
    void answer_held();
    void check_service();
    void close(bool at_once);
    void close(End& end, bool at_once);

    std::string protocol;
    End server, client;
    hg_addr_t to = HG_ADDR_NULL, self = HG_ADDR_NULL;
    std::vector<std::unique_ptr<Operation>> operations;
    std::vector<hg_handle_t> waiting;  // at the server: requests without an answer
    // Regions of the client live until the end: a transfer may come late.
    std::vector<std::unique_ptr<std::vector<unsigned char>>> memory;
    std::vector<hg_bulk_t> regions;
};

Workload& workload_of(hg_handle_t handle) {
    const hg_info* info = HG_Get_info(handle);
    return *static_cast<Workload*>(HG_Registered_data(info->hg_class, info->id));
}

void end_once(Operation& operation, hg_return_t ret) {
    ++operation.ended;
    operation.ret = ret;
    INFO(operation.name);
    REQUIRE(operation.ended <= operation.accepted);
}

// --- the server

hg_return_t on_responded(const hg_cb_info* info) {
    Operation& operation = *static_cast<Operation*>(info->arg);
    end_once(operation, info->ret);
    (void)HG_Destroy(std::exchange(operation.handle, HG_HANDLE_NULL));
    return HG_SUCCESS;
}

// Takes the reference over.
void respond(hg_handle_t handle, const char* name, void* out) {
    Operation& operation = workload_of(handle).add(name);
    operation.handle = handle;
    ++operation.accepted;
    if (HG_Respond(handle, on_responded, &operation, out) == HG_SUCCESS) return;
    --operation.accepted;
    operation.handle = HG_HANDLE_NULL;
    (void)HG_Destroy(handle);
}

hg_return_t serve_echo(hg_handle_t handle) {
    Blob blob;
    if (HG_Get_input(handle, &blob) != HG_SUCCESS) return HG_Destroy(handle);
    Blob copy = blob;
    (void)HG_Free_input(handle, &blob);
    respond(handle, "echo, at the server", &copy);
    return HG_SUCCESS;
}

hg_return_t serve_notice(hg_handle_t handle) {
    Blob blob;
    if (HG_Get_input(handle, &blob) == HG_SUCCESS) (void)HG_Free_input(handle, &blob);
    return HG_Destroy(handle);
}

hg_return_t serve_held(hg_handle_t handle) {
    workload_of(handle).waiting.push_back(handle);
    return HG_SUCCESS;
}

void end_transfer(Operation& operation, hg_return_t ret) {
    if (ret == HG_SUCCESS && operation.input.op == HG_BULK_PULL)
        CHECK(operation.memory == integration::content_of(bulk_size, 7));
    (void)HG_Bulk_free(operation.region);
    (void)HG_Free_input(operation.request, &operation.input);
    Blob out(small_size, ret == HG_SUCCESS ? 1 : 2);
    respond(operation.request, "answer to a transfer", &out);
}

hg_return_t on_transferred(const hg_cb_info* info) {
    Operation& operation = *static_cast<Operation*>(info->arg);
    end_once(operation, info->ret);
    operation.transfer = HG_OP_ID_NULL;
    end_transfer(operation, info->ret);
    return HG_SUCCESS;
}

hg_return_t serve_bulk(hg_handle_t handle) {
    const hg_info* info = HG_Get_info(handle);
    Operation& operation = workload_of(handle).add("a transfer");
    if (HG_Get_input(handle, &operation.input) != HG_SUCCESS) return HG_Destroy(handle);
    operation.request = handle;
    const bool pull = operation.input.op == HG_BULK_PULL;
    operation.memory = integration::content_of(bulk_size, pull ? 1 : 8);
    void* address = operation.memory.data();
    const hg_size_t size = bulk_size;
    hg_return_t ret =
        HG_Bulk_create(info->hg_class, 1, &address, &size,
                       pull ? HG_BULK_WRITE_ONLY : HG_BULK_READ_ONLY, &operation.region);
    if (ret == HG_SUCCESS) {
        ++operation.accepted;
        ret = HG_Bulk_transfer(info->context, on_transferred, &operation,
                               static_cast<hg_bulk_op_t>(operation.input.op), info->addr,
                               operation.input.bulk, 0, operation.region, 0, bulk_size,
                               &operation.transfer);
        if (ret == HG_SUCCESS) return HG_SUCCESS;
        --operation.accepted;
        operation.transfer = HG_OP_ID_NULL;
    }
    end_transfer(operation, ret);
    return HG_SUCCESS;
}

// --- the client

hg_return_t on_answered(const hg_cb_info* info) {
    Operation& operation = *static_cast<Operation*>(info->arg);
    end_once(operation, info->ret);
    if (info->ret == HG_SUCCESS && !operation.expected.bytes.empty()) {
        Blob out;
        if (HG_Get_output(operation.handle, &out) == HG_SUCCESS) {
            INFO(operation.name);
            CHECK(out == operation.expected);
            (void)HG_Free_output(operation.handle, &out);
        }
    }
    (void)HG_Destroy(std::exchange(operation.handle, HG_HANDLE_NULL));
    return HG_SUCCESS;
}

Operation& Workload::add(const char* name) {
    operations.push_back(std::make_unique<Operation>());
    operations.back()->name = name;
    return *operations.back();
}

void Workload::forward(Operation& operation, hg_id_t id, hg_addr_t target, void* in) {
    if (HG_Create(client.context, target, id, &operation.handle) != HG_SUCCESS) {
        operation.handle = HG_HANDLE_NULL;
        return;
    }
    ++operation.accepted;
    if (HG_Forward(operation.handle, on_answered, &operation, in) == HG_SUCCESS) return;
    --operation.accepted;
    (void)HG_Destroy(std::exchange(operation.handle, HG_HANDLE_NULL));
}

void Workload::call(hg_id_t id, hg_addr_t target, const char* name, std::size_t size,
                    bool answered) {
    Operation& operation = add(name);
    Blob in(size, static_cast<unsigned>(operations.size()));
    if (answered) operation.expected = in;
    forward(operation, id, target, &in);
}

void Workload::transfer(hg_bulk_op_t op, const char* name) {
    memory.push_back(std::make_unique<std::vector<unsigned char>>(
        integration::content_of(bulk_size, op == HG_BULK_PULL ? 7 : 9)));
    unsigned char* bytes = memory.back()->data();
    void* addresses[3] = {bytes, bytes + 1000, bytes + 100001};
    const hg_size_t sizes[3] = {1000, 99001, bulk_size - 100001};
    BulkRequest in;
    if (HG_Bulk_create(client.cls, 3, addresses, sizes, HG_BULK_READWRITE, &in.bulk) != HG_SUCCESS)
        return;
    regions.push_back(in.bulk);
    in.op = op;
    in.size = bulk_size;
    forward(add(name), client.bulk, to, &in);
}

// --- opening and closing

void Workload::register_all(End& end) {
    const auto add_rpc = [&](const char* name, hg_proc_cb_t in, hg_proc_cb_t out,
                             hg_rpc_cb_t serve) {
        const hg_id_t id = HG_Register_name(end.cls, name, in, out, serve);
        REQUIRE(id != 0);
        REQUIRE(HG_Register_data(end.cls, id, this, nullptr) == HG_SUCCESS);
        return id;
    };
    end.echo = add_rpc("echo", integration::proc_blob, integration::proc_blob, serve_echo);
    end.notice = add_rpc("notice", integration::proc_blob, nullptr, serve_notice);
    end.bulk = add_rpc("bulk", integration::proc_bulk_request, integration::proc_blob, serve_bulk);
    end.held = add_rpc("held", integration::proc_blob, integration::proc_blob, serve_held);
    REQUIRE(HG_Registered_disable_response(end.cls, end.notice, 1) == HG_SUCCESS);
}

bool Workload::open(End& end, bool listen) {
    hg_init_info init{};
    // Few, so that more have to be made on the way.
    init.request_post_init = 4;
    init.request_post_incr = 2;
    const std::string info =
        "na+" + protocol + (protocol == "fault_tcp" ? "://127.0.0.1:0" : "://");
    end.cls =
        HG_Init_opt2(info.c_str(), listen, HG_VERSION(HG_VERSION_MAJOR, HG_VERSION_MINOR), &init);
    if (end.cls == nullptr) return false;
    register_all(end);
    end.context = HG_Context_create(end.cls);
    return end.context != nullptr;
}

bool Workload::open() {
    if (!open(server, true) || !open(client, true)) return false;
    hg_addr_t published = HG_ADDR_NULL;
    if (HG_Addr_self(server.cls, &published) != HG_SUCCESS) return false;
    char text[256];
    hg_size_t size = sizeof text;
    const hg_return_t named = HG_Addr_to_string(server.cls, text, &size, published);
    (void)HG_Addr_free(server.cls, published);
    if (named != HG_SUCCESS) return false;
    if (HG_Addr_lookup2(client.cls, text, &to) != HG_SUCCESS) to = HG_ADDR_NULL;
    if (HG_Addr_self(client.cls, &self) != HG_SUCCESS) self = HG_ADDR_NULL;
    return to != HG_ADDR_NULL && self != HG_ADDR_NULL;
}

void Workload::close(End& end, bool at_once) {
    if (end.context != nullptr) {
        hg_return_t ret = HG_Context_destroy(end.context);
        if (ret != HG_SUCCESS && !at_once) ret = HG_Context_destroy(end.context);
        REQUIRE(ret == HG_SUCCESS);
    }
    if (end.cls != nullptr) REQUIRE(HG_Finalize(end.cls) == HG_SUCCESS);
    end = {};
}

void Workload::close(bool at_once) {
    for (const hg_bulk_t region : regions)
        CHECK(HG_Bulk_free(region) == HG_SUCCESS);
    if (to != HG_ADDR_NULL) CHECK(HG_Addr_free(client.cls, to) == HG_SUCCESS);
    if (self != HG_ADDR_NULL) CHECK(HG_Addr_free(client.cls, self) == HG_SUCCESS);
    close(client, at_once);
    close(server, at_once);
}

// --- running

void Workload::start() {
    for (int i = 0; i < 3; ++i)
        call(client.echo, to, "a small call", small_size, true);
    call(client.echo, to, "a large call", large_size, true);
    call(client.notice, to, "a small one-way call", small_size, false);
    call(client.notice, to, "a large one-way call", large_size, false);
    transfer(HG_BULK_PULL, "a call that is pulled from");
    transfer(HG_BULK_PUSH, "a call that is pushed to");
    call(client.held, to, "a call that is cancelled", small_size, false);
    (void)HG_Cancel(operations.back()->handle);
    call(client.held, to, "a call that waits", small_size, false);
    call(client.echo, self, "a call to oneself", small_size, true);
    call(client.echo, self, "a large call to oneself", large_size, true);
}

// What has happened.
unsigned Workload::step() {
    unsigned happened = 0;
    for (const End* end : {&server, &client}) {
        (void)HG_Progress(end->context, 0);
        unsigned count = 0;
        do {
            (void)HG_Trigger(end->context, 0, 64, &count);
            happened += count;
        } while (count > 0);
    }
    return happened;
}

bool Workload::all_ended() const {
    for (const auto& operation : operations)
        if (operation->ended != operation->accepted) return false;
    return true;
}

void Workload::answer_held() {
    for (const hg_handle_t handle : std::exchange(waiting, {})) {
        Blob out(small_size, 3);
        respond(handle, "a late answer", &out);
    }
}

void Workload::cancel_rest() {
    answer_held();
    // A cancel may end an operation, and that may begin another one.
    for (std::size_t i = 0; i < operations.size(); ++i) {
        const Operation& operation = *operations[i];
        if (operation.ended == operation.accepted) continue;
        if (operation.handle != HG_HANDLE_NULL) (void)HG_Cancel(operation.handle);
        if (operation.transfer != HG_OP_ID_NULL) (void)HG_Bulk_cancel(operation.transfer);
    }
}

// Until everything has ended and nothing more comes; what does not end by itself is cancelled, as
// by a caller whose time is over.
void Workload::finish() {
    for (int idle = 0; idle < idle_rounds || !all_ended() || !waiting.empty();) {
        if (step() > 0) {
            idle = 0;
        } else if (++idle % idle_rounds == 0) {
            cancel_rest();
        }
    }
}

// Nothing is cancelled here: the watchdog finds a service that has gone deaf.
void Workload::check_service() {
    calm();
    for (int attempt = 0; attempt < 10; ++attempt) {
        call(client.echo, to, "a call when all is calm", small_size, true);
        const Operation& mine = *operations.back();
        REQUIRE(mine.accepted == 1);
        while (mine.ended == 0)
            (void)step();
        CHECK(mine.ret == HG_SUCCESS);
    }
    finish();
}

}  // namespace

std::string what(const char* protocol, const Plan& plan) {
    std::string text = protocol;
    if (plan.slot != Slot::count)
        text += fmt::format(", call {} of {} fails with {}", plan.nth,
                            slot_names[static_cast<std::size_t>(plan.slot)],
                            NA_Error_to_string(plan.code));
    if (plan.kind != Kind::count)
        text += fmt::format(", completion {} of {} fails with {}", plan.nth,
                            kind_names[static_cast<std::size_t>(plan.kind)],
                            NA_Error_to_string(plan.code));
    if (plan.lose + plan.duplicate + plan.delay + plan.fail_post + plan.fail_completion +
            plan.gone_after >
        0)
        text += fmt::format(", seed {}", plan.seed);
    return text;
}

Report run(const char* protocol, const Plan& plan, const Expectation& expectation) {
    const std::string name = what(protocol, plan);
    INFO(name);
    test::arm_watchdog(test::default_deadline_s, name);
    begin(plan);
    Workload workload(protocol);
    if (workload.open()) {
        workload.start();
        workload.finish();
        if (expectation.serves_on) workload.check_service();
    }
    workload.close(expectation.closes_at_once);
    for (const auto& operation : workload.operations) {
        INFO(operation->name);
        CHECK(operation->ended == operation->accepted);
    }
    const Report left = report();
    CHECK(left.classes == 0);
    CHECK(left.contexts == 0);
    CHECK(left.ops == 0);
    CHECK(left.posted == 0);
    CHECK(left.addresses == 0);
    CHECK(left.memories == 0);
    CHECK(left.buffers == 0);
    return left;
}

}  // namespace cinnabar::fault
