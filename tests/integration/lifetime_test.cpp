// SPDX-License-Identifier: BSD-3-Clause
// Classes side by side in one process, opened and closed again and again, and processes that fork.
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/peer.hpp"
#include "tests/support/allocation_counter.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::integration;
using cinnabar::test::allow_log;

CINNABAR_INTEGRATION("several classes of a process work side by side", peer_setups) {
    const Setup& other = setup_named(setup.tcp() ? "sm" : "tcp");
    Pair one(setup), two(setup), three(other);
    std::vector<Pair*> pairs{&one, &two, &three};
    std::vector<std::unique_ptr<Call>> calls;
    int served[3] = {0, 0, 0};
    for (std::size_t i = 0; i < 3; ++i) {
        const hg_id_t id =
            pairs[i]->add("count", proc_blob, nullptr, [&served, i](hg_handle_t handle) {
                ++served[i];
                serve_nothing(handle);
            });
        for (int j = 0; j < 10; ++j) {
            calls.push_back(std::make_unique<Call>(pairs[i]->client, pairs[i]->to, id));
            Blob in(j % 2 == 0 ? 10 : 10000, 1);
            REQUIRE(calls.back()->forward(&in) == HG_SUCCESS);
        }
    }
    for (const auto& call : calls)
        while (!call->done())
            for (Pair* pair : pairs)
                pair->step();
    for (const auto& call : calls)
        CHECK(call->ret() == HG_SUCCESS);
    for (const int count : served)
        CHECK(count == 10);
}

CINNABAR_INTEGRATION("opening and closing leaves nothing", peer_setups) {
    const auto once = [&] {
        Pair pair(setup);
        const hg_id_t id = pair.add("echo", proc_blob, proc_blob, serve_echo);
        Call call(pair.client, pair.to, id);
        for (const std::size_t size : {10, 10000}) {
            Blob in(size, 1);
            REQUIRE(pair.run(call, &in) == HG_SUCCESS);
        }
    };
    // The first ones fill what stays, such as the allocator's own.
    for (int i = 0; i < 5; ++i)
        once();
    const std::size_t before = ::mallinfo2().uordblks;
    for (int i = 0; i < 100; ++i)
        once();
    const std::size_t after = ::mallinfo2().uordblks;
    CAPTURE(before, after);
    // The allocator's caches count as used and keep filling; a class that stays is far larger.
    if (cinnabar::test::AllocationCounter::available()) CHECK(after < before + 100 * 1000);
}

namespace {

// What the child of a fork finds; 0 if all is as it should be, else the place where it was not.
int be_a_child(const Setup& setup, Call& old_call, Side& old_side, hg_id_t id,
               const std::string& server) {
    Blob in(10, 1);
    const hg_return_t ret = HG_Forward(old_call.handle(), nullptr, nullptr, &in);
    if (ret == HG_SUCCESS) return 10;
    if (HG_Destroy(old_call.handle()) != HG_SUCCESS) return 11;
    unsigned count = 0;
    if (HG_Progress(old_side.context(), 0) == HG_SUCCESS) return 12;
    (void)HG_Trigger(old_side.context(), 0, 1, &count);
    if (count != 0) return 13;
    hg_handle_t handle = HG_HANDLE_NULL;
    (void)HG_Create(old_side.context(), HG_ADDR_NULL, id, &handle);
    (void)HG_Destroy(handle);
    if (!setup.forks()) return HG_Init(setup.info, HG_FALSE) == nullptr ? 0 : 15;
    SideOptions options;
    options.listen = false;
    Side side(setup, options);
    const Offers offers(side);
    const Address to = side.lookup(server);
    for (const std::size_t size : {10, 100000})
        if (echo(side, to, offers, size) != HG_SUCCESS) return 14;
    return 0;
}

}  // namespace

CINNABAR_INTEGRATION("a forked child has errors for the old and can begin anew", peer_setups) {
    allow_log("");
    Peer server(setup);
    Side side(setup);
    const Offers offers(side);
    {
        const Address to = side.lookup(server.address());
        Call call(side, to, offers.echo);
        REQUIRE(echo(side, to, offers, 100) == HG_SUCCESS);
        const pid_t child = ::fork();
        if (child == 0) ::_exit(be_a_child(setup, call, side, offers.echo, server.address()));
        REQUIRE(child > 0);
        // The parent goes on meanwhile, and after the child has ended.
        int status = -1;
        while (::waitpid(child, &status, WNOHANG) == 0)
            REQUIRE(echo(side, to, offers, 1000) == HG_SUCCESS);
        CHECK(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 0);
        for (const std::size_t size : {10, 100000})
            REQUIRE(echo(side, to, offers, size) == HG_SUCCESS);
    }
    server.end();
}

// A request whose arguments the server fetches from a caller that lives and does not look: nobody
// but the server's context knows of that fetch, so it is the context that ends it.
CINNABAR_INTEGRATION("a context closes while a silent caller's arguments are being fetched",
                     peer_setups) {
    allow_log("");
    Peer server(setup);
    Side side(setup);
    const Offers offers(side);
    const Address to = side.lookup(server.address());
    REQUIRE(echo(side, to, offers, 10) == HG_SUCCESS);
    Call call(side, to, offers.echo);
    Blob in(exposed_size, 1);
    REQUIRE(call.forward(&in) == HG_SUCCESS);
    // The server's replies show that it has looked at its net meanwhile.
    for (int i = 0; i < 10; ++i)
        (void)server.descriptors();
    server.end();
    side.wait([&] { return call.done(); });
    CHECK(call.callbacks() == 1);
}
