// SPDX-License-Identifier: BSD-3-Clause
// Opening and closing: classes, contexts, what may not be closed yet, what is refused, what a class
// says about itself.
#include <fcntl.h>

#include "tests/conformance/net.hpp"
#include "tests/support/log_check.hpp"
#include "tests/support/residue_check.hpp"

using namespace cinnabar::conformance;
using cinnabar::test::allow_log;
using cinnabar::test::expect_log;
using cinnabar::test::Residue;
using cinnabar::test::take_residue;

CINNABAR_CONFORMANCE("a class opens and closes a hundred times, listening or not") {
    for (int i = 0; i < 100; ++i) {
        NetOptions options;
        options.listen = i % 2 == 0;
        const Net net(transport, options);
        CHECK(NA_Is_listening(net.cls()) == options.listen);
    }
}

CINNABAR_CONFORMANCE("many classes are open at once") {
    std::vector<std::unique_ptr<Net>> nets;
    for (int i = 0; i < 16; ++i)
        nets.push_back(std::make_unique<Net>(transport));
    for (std::size_t i = 1; i < nets.size(); ++i)
        CHECK(nets[i]->self().text() != nets[i - 1]->self().text());
}

CINNABAR_CONFORMANCE("a class gives its names and limits") {
    const Net net(transport);
    CHECK(NA_Get_class_name(net.cls()) == class_of(transport));
    CHECK(NA_Get_class_protocol(net.cls()) == std::string(transport.protocol));
    CHECK(NA_Msg_get_max_unexpected_size(net.cls()) >= 4096);
    CHECK(NA_Msg_get_max_expected_size(net.cls()) >= 4096);
    CHECK(NA_Msg_get_unexpected_header_size(net.cls()) < NA_Msg_get_max_unexpected_size(net.cls()));
    CHECK(NA_Msg_get_expected_header_size(net.cls()) < NA_Msg_get_max_expected_size(net.cls()));
    CHECK(NA_Msg_get_max_tag(net.cls()) >= 0xffff);
    CHECK(NA_Mem_handle_get_max_segments(net.cls()) >= 1024);
}

CINNABAR_CONFORMANCE("a larger message limit is honoured") {
    na_init_info init{};
    init.progress_mode = transport.busy ? NA_NO_BLOCK : 0;
    init.max_unexpected_size = init.max_expected_size = 32768;
    na_class_t* cls = NA_Initialize_opt2(transport.info, true,
                                         NA_VERSION(NA_VERSION_MAJOR, NA_VERSION_MINOR), &init);
    REQUIRE(cls != nullptr);
    CHECK(NA_Msg_get_max_unexpected_size(cls) >= 32768);
    CHECK(NA_Msg_get_max_expected_size(cls) >= 32768);
    CHECK(NA_Finalize(cls) == NA_SUCCESS);
}

CINNABAR_CONFORMANCE("the protocol is listed") {
    na_protocol_info* list = nullptr;
    // Several classes may have a protocol of this name.
    const std::string info = class_of(transport) + "+" + transport.protocol;
    REQUIRE(NA_Get_protocol_info(info.c_str(), &list) == NA_SUCCESS);
    REQUIRE(list != nullptr);
    for (const na_protocol_info* entry = list; entry != nullptr; entry = entry->next) {
        CHECK(entry->class_name == class_of(transport));
        CHECK(entry->protocol_name == std::string(transport.protocol));
        CHECK(entry->device_name != nullptr);
    }
    NA_Free_protocol_info(list);
}

CINNABAR_CONFORMANCE("a class is not closed while a context or an address lives") {
    Net net(transport);
    na_addr_t* addr = nullptr;
    REQUIRE(NA_Addr_self(net.cls(), &addr) == NA_SUCCESS);
    expect_log("still in use");
    CHECK(NA_Finalize(net.cls()) == codes::object_in_use);
    NA_Addr_free(net.cls(), addr);
    CHECK(NA_Finalize(net.cls()) == codes::object_in_use);
}

CINNABAR_CONFORMANCE("a context is not closed while an operation is posted or not triggered") {
    Net net(transport);
    const Buffer buffer(net, 64);
    Op op(net);
    REQUIRE(op.recv_unexpected(buffer) == NA_SUCCESS);
    allow_log("is not destroyed");
    allow_log("is not closed");
    CHECK(NA_Context_destroy(net.cls(), net.context()) == codes::object_in_use);
    REQUIRE(op.cancel() == NA_SUCCESS);
    while (NA_Context_get_completion_count(net.context()) == 0)
        REQUIRE(NA_Poll(net.cls(), net.context(), nullptr) == NA_SUCCESS);
    CHECK(NA_Context_destroy(net.cls(), net.context()) == codes::object_in_use);
    pump(net, [&] { return op.done(); });
    CHECK(op.ret() == codes::canceled);
}

CINNABAR_CONFORMANCE("an operation that is posted is not destroyed") {
    Net net(transport);
    const Buffer buffer(net, 64);
    Op op(net);
    REQUIRE(op.recv_unexpected(buffer) == NA_SUCCESS);
    expect_log("still posted");
    NA_Op_destroy(net.cls(), op.id());
    REQUIRE(op.cancel() == NA_SUCCESS);
    pump(net, [&] { return op.done(); });
    CHECK(op.completions() == 1);
}

CINNABAR_CONFORMANCE("null objects are refused") {
    const Net net(transport);
    na_addr_t* addr = nullptr;
    CHECK(NA_Finalize(nullptr) == codes::null_argument);
    CHECK(NA_Context_create(nullptr) == nullptr);
    CHECK(NA_Context_destroy(net.cls(), nullptr) == codes::null_argument);
    CHECK(NA_Op_create(nullptr, 0) == nullptr);
    NA_Op_destroy(net.cls(), nullptr);
    CHECK(NA_Addr_lookup(net.cls(), nullptr, &addr) == codes::null_argument);
    CHECK(NA_Addr_lookup(net.cls(), transport.info, nullptr) == codes::null_argument);
    CHECK(NA_Addr_self(net.cls(), nullptr) == codes::null_argument);
    NA_Addr_free(net.cls(), nullptr);
    CHECK(NA_Poll(net.cls(), nullptr, nullptr) == codes::null_argument);
    CHECK(NA_Trigger(nullptr, 1, nullptr) == codes::null_argument);
    CHECK(NA_Cancel(net.cls(), net.context(), nullptr) == codes::null_argument);
    CHECK(NA_Mem_handle_create(net.cls(), nullptr, 0, NA_MEM_READWRITE, nullptr) ==
          codes::null_argument);
}

CINNABAR_CONFORMANCE("every descriptor of a class is closed on exec") {
    const Residue before = take_residue();
    Pair pair(transport);
    exchange(pair);
    for (const auto& [fd, target] : take_residue().descriptors) {
        if (before.descriptors.contains(fd)) continue;
        CAPTURE(fd, target);
        CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    }
}
