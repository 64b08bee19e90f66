// SPDX-License-Identifier: BSD-3-Clause
// A program that speaks NA but says what it likes, for tests of what peers make of it: a net, and
// messages of its own making. One thread; a Rogue outlives its messages.
#pragma once

#include <catch2/catch.hpp>

#include "na.h"
#include "tests/integration/setup.hpp"

namespace cinnabar::integration {

struct Rogue {
    explicit Rogue(const Setup& setup, bool listen = false) {
        na_init_info init{};
        init.progress_mode = setup.busy ? NA_NO_BLOCK : 0;
        cls = NA_Initialize_opt2(setup.info, listen, NA_VERSION(NA_VERSION_MAJOR, NA_VERSION_MINOR),
                                 &init);
        REQUIRE(cls != nullptr);
        context = NA_Context_create(cls);
        REQUIRE(context != nullptr);
    }
    Rogue(const Rogue&) = delete;
    ~Rogue() {
        CHECK(NA_Context_destroy(cls, context) == NA_SUCCESS);
        CHECK(NA_Finalize(cls) == NA_SUCCESS);
    }
    void step() {
        (void)NA_Poll(cls, context, nullptr);
        unsigned count = 0;
        do {
            (void)NA_Trigger(context, 8, &count);
        } while (count > 0);
    }
    na_class_t* cls = nullptr;
    na_context_t* context = nullptr;
};

struct Message {
    Message(Rogue& owner, std::size_t payload, bool unexpected) : rogue(owner) {
        header = unexpected ? NA_Msg_get_unexpected_header_size(rogue.cls)
                            : NA_Msg_get_expected_header_size(rogue.cls);
        size = header + payload;
        op = NA_Op_create(rogue.cls, NA_OP_SINGLE);
        buffer = static_cast<char*>(NA_Msg_buf_alloc(
            rogue.cls, NA_Msg_get_max_unexpected_size(rogue.cls), NA_SEND | NA_RECV, &plugin_data));
        REQUIRE(buffer != nullptr);
        if (unexpected) REQUIRE(NA_Msg_init_unexpected(rogue.cls, buffer, size) == NA_SUCCESS);
    }
    Message(const Message&) = delete;
    ~Message() {
        NA_Op_destroy(rogue.cls, op);
        NA_Msg_buf_free(rogue.cls, buffer, plugin_data);
    }
    static void take(const na_cb_info* info) {
        auto& message = *static_cast<Message*>(info->arg);
        ++message.ended;
        message.ret = info->ret;
        if (info->type == NA_CB_RECV_EXPECTED)
            message.received = info->info.recv_expected.actual_buf_size;
        if (info->type == NA_CB_RECV_UNEXPECTED && info->ret == NA_SUCCESS) {
            message.received = info->info.recv_unexpected.actual_buf_size;
            message.source = info->info.recv_unexpected.source;
            message.tag = info->info.recv_unexpected.tag;
        }
    }
    char* payload() { return buffer + header; }
    Rogue& rogue;
    std::size_t header = 0, size = 0, received = 0;
    na_op_id_t* op = nullptr;
    char* buffer = nullptr;
    void* plugin_data = nullptr;
    int ended = 0;
    na_return_t ret = NA_SUCCESS;
    na_addr_t* source = nullptr;  // of a request: the receiver frees it
    na_tag_t tag = 0;
};

}  // namespace cinnabar::integration
