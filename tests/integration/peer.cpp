// SPDX-License-Identifier: BSD-3-Clause
#include "tests/integration/peer.hpp"

#include <poll.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/support/log_check.hpp"

namespace cinnabar::integration {
namespace {

int count_descriptors() {
    const std::filesystem::directory_iterator entries("/proc/self/fd");
    // The one that lists is open too.
    return static_cast<int>(std::distance(begin(entries), end(entries))) - 1;
}

struct Server {
    explicit Server(const Setup& setup, const std::string& info)
        : side(setup, [&] {
              SideOptions options;
              options.info = info;
              return options;
          }()) {
        (void)side.add("null", nullptr, nullptr, serve_nothing);
        (void)side.add("echo", proc_blob, proc_blob, serve_echo);
        (void)side.add("keep", proc_blob, nullptr,
                       [this](hg_handle_t handle) { kept.push_back(handle); });
        (void)side.add("release", nullptr, nullptr, [this](hg_handle_t handle) {
            release();
            serve_nothing(handle);
        });
        (void)side.add("expose", nullptr, proc_blob,
                       [this](hg_handle_t handle) { expose(handle); });
        (void)side.add("pull", proc_bulk_request, proc_number,
                       [this](hg_handle_t handle) { pull(handle); });
    }
    ~Server() {
        release();
        (void)HG_Bulk_free(region);
    }

    void release() {
        for (hg_handle_t handle : std::exchange(kept, {}))
            serve_nothing(handle);
    }

    void expose(hg_handle_t handle) {
        if (memory.empty()) {
            memory = content_of(exposed_size, exposed_seed);
            void* base = memory.data();
            const hg_size_t size = memory.size();
            (void)HG_Bulk_create(side.cls(), 1, &base, &size, HG_BULK_READWRITE, &region);
        }
        Blob out(HG_Bulk_get_serialize_size(region, 0), 0);
        (void)HG_Bulk_serialize(out.bytes.data(), out.bytes.size(), 0, region);
        (void)HG_Respond(handle, nullptr, nullptr, &out);
        (void)HG_Destroy(handle);
    }

    struct Pull {
        hg_handle_t handle;
        BulkRequest in{};
        std::vector<unsigned char> bytes{};
        hg_bulk_t local = HG_BULK_NULL;
    };

    void pull(hg_handle_t handle) {
        auto pulling = std::make_unique<Pull>(Pull{handle});
        BulkRequest& in = pulling->in;
        if (HG_Get_input(handle, &in) != HG_SUCCESS) {
            (void)HG_Destroy(handle);
            return;
        }
        pulling->bytes.resize(in.size);
        void* base = pulling->bytes.data();
        const hg_size_t size = in.size;
        (void)HG_Bulk_create(side.cls(), 1, &base, &size, HG_BULK_READWRITE, &pulling->local);
        const hg_return_t ret = HG_Bulk_transfer(
            side.context(), pulled, pulling.get(), HG_BULK_PULL, HG_Get_info(handle)->addr, in.bulk,
            in.offset, pulling->local, 0, in.size, HG_OP_ID_IGNORE);
        if (ret != HG_SUCCESS)
            end_pull(*pulling, in.size);
        else
            (void)pulling.release();
    }

    static void end_pull(Pull& pulling, std::uint64_t wrong) {
        (void)HG_Respond(pulling.handle, nullptr, nullptr, &wrong);
        (void)HG_Bulk_free(pulling.local);
        (void)HG_Free_input(pulling.handle, &pulling.in);
        (void)HG_Destroy(pulling.handle);
    }

    static hg_return_t pulled(const hg_cb_info* info) {
        const std::unique_ptr<Pull> pulling(static_cast<Pull*>(info->arg));
        std::uint64_t wrong = info->ret == HG_SUCCESS ? 0 : pulling->in.size;
        const auto expected = content_of(pulling->in.offset + pulling->in.size,
                                         static_cast<unsigned>(pulling->in.seed));
        for (std::size_t i = 0; wrong == 0 && i < pulling->bytes.size(); ++i)
            if (pulling->bytes[i] != expected[pulling->in.offset + i]) ++wrong;
        end_pull(*pulling, wrong);
        return HG_SUCCESS;
    }

    // Until the parent closes the input; it may ask for the number of descriptors.
    void run() {
        for (;;) {
            side.step(0);
            pollfd input{STDIN_FILENO, POLLIN, 0};
            if (::poll(&input, 1, 0) == 0) {
                side.step(timeout_ms);
                continue;
            }
            const auto line = test::hear();
            if (!line) return;
            if (*line == "descriptors") test::say(std::to_string(count_descriptors()));
        }
    }

    Side side;
    unsigned timeout_ms = 10;
    std::vector<hg_handle_t> kept{};
    std::vector<unsigned char> memory{};
    hg_bulk_t region = HG_BULK_NULL;
};

}  // namespace

CINNABAR_ROLE(integration_server) {
    // Clients come and go, some of them by a signal.
    test::allow_log("");
    const Setup& setup = setup_named(arguments[0]);
    Server server(setup, arguments.size() > 1 ? arguments[1] : "");
    server.timeout_ms = setup.busy ? 0 : 10;
    test::say(server.side.self().text());
    server.run();
    return 0;
}

Offers::Offers(Side& side)
    : null(side.add("null", nullptr, nullptr)),
      echo(side.add("echo", proc_blob, proc_blob)),
      keep(side.add("keep", proc_blob, nullptr)),
      release(side.add("release", nullptr, nullptr)),
      expose(side.add("expose", nullptr, proc_blob)),
      pull(side.add("pull", proc_bulk_request, proc_number)) {}

Peer::Peer(const Setup& setup, const std::string& info)
    : process_("integration_server",
               info.empty() ? test::Arguments{setup.name} : test::Arguments{setup.name, info}),
      address_(process_.listen()) {}

int Peer::descriptors() {
    process_.tell("descriptors");
    return std::stoi(process_.listen());
}

void Peer::end() {
    process_.finish();
    CHECK(process_.wait() == 0);
}

hg_return_t echo(Side& side, const Address& to, const Offers& offers, std::size_t size) {
    Call call(side, to, offers.echo);
    Blob in(size, static_cast<unsigned>(size));
    const hg_return_t forwarded = call.forward(&in);
    if (forwarded != HG_SUCCESS) return forwarded;
    side.wait([&] { return call.done(); });
    if (call.ret() != HG_SUCCESS) return call.ret();
    Blob out;
    REQUIRE(HG_Get_output(call.handle(), &out) == HG_SUCCESS);
    CHECK(out == in);
    REQUIRE(HG_Free_output(call.handle(), &out) == HG_SUCCESS);
    return HG_SUCCESS;
}

hg_bulk_t exposed(Side& side, const Address& to, const Offers& offers) {
    Call call(side, to, offers.expose);
    REQUIRE(call.forward() == HG_SUCCESS);
    side.wait([&] { return call.done(); });
    REQUIRE(call.ret() == HG_SUCCESS);
    Blob out;
    REQUIRE(HG_Get_output(call.handle(), &out) == HG_SUCCESS);
    hg_bulk_t region = HG_BULK_NULL;
    REQUIRE(HG_Bulk_deserialize(side.cls(), &region, out.bytes.data(), out.bytes.size()) ==
            HG_SUCCESS);
    REQUIRE(HG_Free_output(call.handle(), &out) == HG_SUCCESS);
    return region;
}

}  // namespace cinnabar::integration
