// SPDX-License-Identifier: BSD-3-Clause
// One side of a conversation: an opened class with a context, procedures that serve as function
// objects, addresses and calls that give themselves back. Whoever tests drives it with step() or
// wait(); a Pair drives two in one thread. What serves runs from step(). A Side outlives what was
// made from it; its end checks that everything was given back.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mercury.h"
#include "mercury_bulk.h"
#include "tests/integration/blob.hpp"
#include "tests/integration/setup.hpp"

namespace cinnabar::integration {

using Serve = std::function<void(hg_handle_t)>;

struct SideOptions {
    bool listen = true;
    std::string info{};  // instead of the setup's
    hg_init_info init{};
    std::size_t in_offset = 0;
    std::size_t out_offset = 0;
    std::function<void(hg_class_t*)> prepare{};  // before the context is created
};

class Address {
public:
    Address() = default;
    Address(hg_class_t* cls, hg_addr_t addr) : cls_(cls), addr_(addr) {}
    Address(Address&& other) noexcept
        : cls_(other.cls_), addr_(std::exchange(other.addr_, HG_ADDR_NULL)) {}
    Address& operator=(Address&& other) noexcept {
        std::swap(cls_, other.cls_);
        std::swap(addr_, other.addr_);
        return *this;
    }
    ~Address() {
        if (cls_ != nullptr) (void)HG_Addr_free(cls_, addr_);
    }
    hg_addr_t get() const { return addr_; }
    std::string text() const;

private:
    hg_class_t* cls_ = nullptr;
    hg_addr_t addr_ = HG_ADDR_NULL;
};

class Side {
public:
    explicit Side(const Setup& setup, const SideOptions& options = {});
    Side(const Side&) = delete;
    Side& operator=(const Side&) = delete;
    ~Side();

    hg_class_t* cls() const { return cls_; }
    hg_context_t* context() const { return context_; }
    Address self() const;
    Address lookup(const std::string& name) const;

    // Registers an RPC by name, served by `serve` (none: only called from here).
    hg_id_t add(const std::string& name, hg_proc_cb_t in, hg_proc_cb_t out, Serve serve = {});

    // Progress once, for at most `timeout_ms`, and trigger what is there.
    void step(unsigned timeout_ms = 0);
    template <class Condition>
    void wait(Condition&& condition) {
        while (!condition())
            step(busy_ ? 0 : 10);
    }
    // The codes that close() got; the destructor checks that all is well.
    void close();
    // The test has closed both itself.
    void forget() {
        context_ = nullptr;
        cls_ = nullptr;
    }

private:
    bool busy_;
    hg_class_t* cls_ = nullptr;
    hg_context_t* context_ = nullptr;
};

// A handle and what became of it. It may be forwarded again and again, and may end before it is
// done().
class Call {
public:
    Call(const Side& side, const Address& to, hg_id_t id);
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call();

    hg_return_t forward(void* in = nullptr);
    bool done() const { return state_->callbacks >= forwards_; }
    int callbacks() const { return state_->callbacks; }
    hg_return_t ret() const { return state_->ret; }
    hg_handle_t handle() const { return handle_; }
    // Gives its reference back now.
    void destroy();

    // Runs in the callback.
    void then(std::function<void(const hg_cb_info&)> function) {
        state_->then = std::move(function);
    }

private:
    struct State {
        int callbacks = 0;
        hg_return_t ret = HG_RETURN_MAX;
        std::function<void(const hg_cb_info&)> then{};
    };
    static hg_return_t on_done(const hg_cb_info* info);

    hg_handle_t handle_ = HG_HANDLE_NULL;
    int forwards_ = 0;
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

// A client and a server in one thread; one and the same Side if it calls itself.
struct Pair {
    explicit Pair(const Setup& setup, const SideOptions& client_options = {},
                  const SideOptions& server_options = {});

    std::unique_ptr<Side> own_client;
    std::unique_ptr<Side> own_server;
    Side& client;
    Side& server;
    Address to;  // the server, as the client sees it

    // Registers at both; served at the server.
    hg_id_t add(const std::string& name, hg_proc_cb_t in, hg_proc_cb_t out, Serve serve = {});
    void step();
    template <class Condition>
    void wait(Condition&& condition) {
        while (!condition())
            step();
    }
    // Forwards and waits for the end; its code.
    hg_return_t run(Call& call, void* in = nullptr);

private:
    unsigned timeout_ms_;
};

// What a blob-to-blob echo serves.
void serve_echo(hg_handle_t handle);
// Responds without output.
void serve_nothing(hg_handle_t handle);

}  // namespace cinnabar::integration
