// SPDX-License-Identifier: BSD-3-Clause
// A framed transport between peers that the test plays itself, frame by frame: such as break the
// rules, call at the same moment, or come back from the dead. The links are socket pairs, of which
// the test holds the other ends.
#include <sys/socket.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstring>
#include <deque>
#include <map>
#include <vector>

#include "na.h"
#include "na/base/errno_code.hpp"
#include "na/base/event_fd.hpp"
#include "na/sdk/framed/frame.hpp"
#include "na/sdk/framed/plugin.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar;
using namespace cinnabar::na::sdk::framed;
using cinnabar::test::allow_log;
using cinnabar::test::expect_log;

namespace {

constexpr std::size_t frame_limit = 8192;
const std::string own_name = "pair://m";

std::pair<FileDescriptor, FileDescriptor> make_pair() {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    return {FileDescriptor(fds[0]), FileDescriptor(fds[1])};
}

// Between the plugin and the test, which runs it in one thread.
struct Switchboard {
    EventFd rings;
    std::deque<FileDescriptor> callers;            // to be accepted
    std::map<std::string, FileDescriptor> called;  // by the net: the far ends
};
Switchboard* board = nullptr;

class PairLink final : public Link {
public:
    explicit PairLink(FileDescriptor socket) : socket_(std::move(socket)) {}
    int descriptor() const override { return socket_.get(); }
    Status send(std::span<const iovec> parts) override {
        msghdr message{};
        message.msg_iov = const_cast<iovec*>(parts.data());
        message.msg_iovlen = parts.size();
        return ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL) < 0 ? code_of_errno(errno)
                                                                    : NA_SUCCESS;
    }
    Result<std::size_t> receive(std::span<std::byte> room) override {
        const ssize_t size = ::recv(socket_.get(), room.data(), room.size(), 0);
        if (size < 0) return code_of_errno(errno);
        if (size == 0) return NA_HOSTUNREACH;
        return static_cast<std::size_t>(size);
    }

private:
    FileDescriptor socket_;
};

class PairPort final : public Port {
public:
    int descriptor() const override { return board->rings.get(); }
    Result<std::unique_ptr<Link>> accept() override {
        board->rings.drain();
        if (board->callers.empty()) return NA_AGAIN;
        std::unique_ptr<Link> link = std::make_unique<PairLink>(std::move(board->callers.front()));
        board->callers.pop_front();
        return link;
    }
    Result<std::unique_ptr<Link>> connect(const std::string& name, std::uint8_t) override {
        auto ends = make_pair();
        board->called[name] = std::move(ends.second);
        return std::unique_ptr<Link>(std::make_unique<PairLink>(std::move(ends.first)));
    }
};

class PairNet final : public na::sdk::framed::Net {
public:
    static constexpr const char* protocol = "pair";
    static constexpr const char* subsystem = "na_pair";
    Status open(const na_plugin_open&) override { return {}; }
    const std::string& name() const override { return own_name; }
    bool is_name(std::string_view text) const override {
        return text.starts_with("pair://") && text.size() == 8;
    }
    std::size_t largest_frame() const override { return frame_limit; }
    Result<std::unique_ptr<Port>> open_port(std::uint8_t) override {
        return std::unique_ptr<Port>(std::make_unique<PairPort>());
    }
};

}  // namespace

CINNABAR_NA_FRAMED_PLUGIN(PairNet)

namespace {

// What the test says and hears as a peer.
class Far {
public:
    Far() {
        auto ends = make_pair();
        socket_ = std::move(ends.second);
        board->callers.push_back(std::move(ends.first));
        board->rings.signal();
    }
    explicit Far(FileDescriptor socket) : socket_(std::move(socket)) {}
    void say_bytes(const void* bytes, std::size_t size) {
        REQUIRE(::send(socket_.get(), bytes, size, MSG_NOSIGNAL) == static_cast<ssize_t>(size));
    }
    void say(const Frame& frame, std::string_view payload = {}) {
        const auto header = encode(frame);
        std::string bytes(reinterpret_cast<const char*>(header.data()), header.size());
        bytes += payload;
        say_bytes(bytes.data(), bytes.size());
    }
    void greet(std::string_view name) { say({Kind::greeting, 0, 0, 0, 0, 0}, name); }
    void end() { socket_.reset(); }
    // 0: nothing has come, or the end has.
    std::size_t hear() {
        const ssize_t size = ::recv(socket_.get(), bytes_.data(), bytes_.size(), 0);
        over_ = size == 0 || (size < 0 && errno == ECONNRESET);
        if (size > 0) frame_ = *decode(std::as_bytes(std::span(bytes_.data(), 32)));
        return size > 0 ? static_cast<std::size_t>(size) : 0;
    }
    const Frame& frame() const { return frame_; }
    std::string payload(std::size_t size) const { return {bytes_.data() + 32, size - 32}; }
    bool over() const { return over_; }

private:
    FileDescriptor socket_;
    std::array<char, frame_limit> bytes_{};
    Frame frame_;
    bool over_ = false;
};

struct Fixture {
    Fixture() {
        board = &switchboard;
        REQUIRE(switchboard.rings.open().ok());
        (void)NA_Plugin_register(na_plugin_entry);
        cls = NA_Initialize("na+pair://", true);
        REQUIRE(cls != nullptr);
        context = NA_Context_create_sink(cls, 0);
        REQUIRE(context != nullptr);
    }
    ~Fixture() {
        CHECK(NA_Context_destroy(cls, context) == NA_SUCCESS);
        CHECK(NA_Finalize(cls) == NA_SUCCESS);
    }
    Fixture(const Fixture&) = delete;
    void poll() { REQUIRE(NA_Poll(cls, context, nullptr) == NA_SUCCESS); }
    std::size_t hear(Far& far) {
        for (;;) {
            poll();
            const std::size_t size = far.hear();
            if (size > 0 || far.over()) return size;
        }
    }
    // A peer that is welcome.
    void join(Far& far, std::string_view name) {
        far.greet(name);
        REQUIRE(hear(far) == 32);
        REQUIRE(far.frame().kind == Kind::welcome);
    }
    void check_closed(Far& far) {
        CHECK(hear(far) == 0);
        CHECK(far.over());
    }
    Switchboard switchboard;
    na_class_t* cls = nullptr;
    na_context_t* context = nullptr;
};

// A send to a peer by name.
struct Send {
    Send(Fixture& owner, const char* to, std::string_view what)
        : fixture(owner), text(what), id(NA_Op_create(owner.cls, 0)) {
        na_addr_t* addr = nullptr;
        REQUIRE(NA_Addr_lookup(owner.cls, to, &addr) == NA_SUCCESS);
        REQUIRE(NA_Msg_send_unexpected(
                    owner.cls, owner.context,
                    [](const na_cb_info* info) {
                        auto& self = *static_cast<Send*>(info->arg);
                        ++self.completions;
                        self.ret = info->ret;
                    },
                    this, text.data(), text.size(), nullptr, addr, 0, 7, id) == NA_SUCCESS);
        NA_Addr_free(owner.cls, addr);
    }
    ~Send() { NA_Op_destroy(fixture.cls, id); }
    Send(const Send&) = delete;
    void wait() {
        while (completions == 0)
            fixture.poll();
        CHECK(completions == 1);
    }
    Fixture& fixture;
    std::string text;
    na_op_id_t* id;
    int completions = 0;
    na_return_t ret = NA_SUCCESS;
};

// Registered memory, and the key under which the net knows it.
struct Exposed {
    Exposed(Fixture& owner, unsigned long flags) : fixture(owner) {
        REQUIRE(NA_Mem_handle_create(owner.cls, bytes.data(), bytes.size(), flags, &mem) ==
                NA_SUCCESS);
        REQUIRE(NA_Mem_register(owner.cls, mem, NA_MEM_TYPE_HOST, 0) == NA_SUCCESS);
        std::array<char, 24> serialized{};
        REQUIRE(NA_Mem_handle_serialize(owner.cls, serialized.data(), serialized.size(), mem) ==
                NA_SUCCESS);
        std::memcpy(&key, serialized.data() + 8, sizeof key);
    }
    ~Exposed() {
        CHECK(NA_Mem_deregister(fixture.cls, mem) == NA_SUCCESS);
        NA_Mem_handle_free(fixture.cls, mem);
    }
    Exposed(const Exposed&) = delete;
    Fixture& fixture;
    std::string bytes = std::string(100, 'x');
    na_mem_handle_t* mem = nullptr;
    std::uint64_t key = 0;
};

}  // namespace

TEST_CASE("a frame is what was encoded, and nothing else is one") {
    const Frame frame{Kind::put, 3, 4, 5, 6, 7};
    auto bytes = encode(frame);
    const auto back = decode(bytes);
    REQUIRE(back.has_value());
    CHECK(back->kind == Kind::put);
    CHECK(back->id == 3);
    CHECK(back->tag == 4);
    CHECK(back->key == 5);
    CHECK(back->offset == 6);
    CHECK(back->length == 7);
    for (std::size_t size = 0; size < bytes.size(); ++size)
        CHECK_FALSE(decode(std::span(bytes).first(size)).has_value());
    for (const std::size_t at : {0u, 1u, 2u}) {
        auto bad = bytes;
        bad[at] = std::byte{0xff};
        CHECK_FALSE(decode(bad).has_value());
    }
}

TEST_CASE("strangers who do not greet as they should are sent away, and others are served") {
    Fixture net;
    expect_log("a stranger is closed");
    {
        Far far;
        far.say_bytes("x", 1);
        net.check_closed(far);
    }
    for (const Kind kind : {Kind::welcome, Kind::unexpected, Kind::get, Kind::answer}) {
        Far far;
        far.say({kind, 0, 0, 0, 0, 0}, "pair://p");
        net.check_closed(far);
    }
    for (const std::string name : {"", "p", "tcp://pp", "pair://", "pair://pp"}) {
        Far far;
        far.greet(name);
        net.check_closed(far);
    }
    Far us;
    us.greet(own_name);
    allow_log("it bears our name");
    net.check_closed(us);
    Far good;
    net.join(good, "pair://p");
}

TEST_CASE("of many who connect at once, those that do not greet are sent away") {
    Fixture net;
    std::deque<Far> talking(100), silent(64);
    for (std::size_t i = 0; i < talking.size(); ++i)
        talking[i].greet("pair://" + std::string(1, static_cast<char>(i + 1)));
    for (Far& far : talking) {
        REQUIRE(net.hear(far) == 32);
        CHECK(far.frame().kind == Kind::welcome);
    }
    Far one_more;
    expect_log("does not greet");
    net.check_closed(silent.front());
    CHECK(silent.back().hear() == 0);
    CHECK_FALSE(silent.back().over());
}

TEST_CASE("a peer that breaks the rules loses its connection") {
    Fixture net;
    expect_log("a connection of pair://p is closed");
    for (const auto& [frame, payload] : std::vector<std::pair<Frame, std::string>>{
             {{Kind::greeting, 0, 0, 0, 0, 0}, "pair://p"},
             {{Kind::welcome, 0, 0, 0, 0, 0}, ""},
             {{Kind::answer, 0, 0, 0, 0, 0}, ""},         // to nothing
             {{Kind::get, 0, 0, 1, 0, frame_limit}, ""},  // more than a frame
             {{Kind::get, 0, 0, 1, 0, UINT64_MAX}, ""},
             {{Kind::get, 0, 0, 1, 0, 4}, "data"},     // that brings data
             {{Kind::put, 0, 0, 1, 0, 5}, "data"}}) {  // that brings less
        Far far;
        net.join(far, "pair://p");
        far.say(frame, payload);
        net.check_closed(far);
    }
}

TEST_CASE("the owner checks what it is asked for") {
    Fixture net;
    const Exposed open(net, NA_MEM_READWRITE), readable(net, NA_MEM_READ_ONLY);
    Far far;
    net.join(far, "pair://p");
    const auto ask = [&](const Frame& frame, std::string_view payload) {
        far.say(frame, payload);
        const std::size_t size = net.hear(far);
        REQUIRE(size >= 32);
        REQUIRE(far.frame().kind == Kind::answer);
        if (far.frame().tag != NA_SUCCESS) CHECK(size == 32);
        return far.frame().tag == NA_SUCCESS ? "ok " + far.payload(size)
                                             : std::to_string(far.frame().tag);
    };
    CHECK(ask({Kind::put, 0, 0, open.key, 96, 4}, "abcd") == "ok ");
    CHECK(open.bytes.substr(90) == "xxxxxxabcd");
    CHECK(ask({Kind::get, 0, 0, open.key, 95, 5}, "") == "ok xabcd");
    expect_log("is refused");
    const std::string invalid = std::to_string(NA_INVALID_ARG);
    CHECK(ask({Kind::put, 0, 0, open.key, 97, 4}, "efgh") == invalid);
    CHECK(ask({Kind::put, 0, 0, open.key, UINT64_MAX, 4}, "efgh") == invalid);
    CHECK(ask({Kind::get, 0, 0, open.key, 101, 0}, "") == invalid);
    CHECK(ask({Kind::get, 0, 0, open.key + 1, 0, 4}, "") == invalid);
    CHECK(ask({Kind::put, 0, 0, readable.key, 0, 4}, "efgh") == std::to_string(NA_PERMISSION));
    CHECK(ask({Kind::get, 0, 0, readable.key, 0, 4}, "") == "ok xxxx");
    CHECK(open.bytes.substr(90) == "xxxxxxabcd");
    CHECK(readable.bytes == std::string(100, 'x'));
}

TEST_CASE("of two calls that cross, that of the greater survives, with what was posted") {
    Fixture net;
    {
        Send send(net, "pair://z", "hello");
        Far called(std::move(net.switchboard.called["pair://z"]));
        REQUIRE(net.hear(called) > 32);  // our greeting
        Far calls;
        net.join(calls, "pair://z");
        net.check_closed(called);
        const std::size_t size = net.hear(calls);
        CHECK(calls.payload(size) == "hello");
        send.wait();
        CHECK(send.ret == NA_SUCCESS);
    }
    Send send(net, "pair://a", "hello");
    Far called(std::move(net.switchboard.called["pair://a"]));
    REQUIRE(net.hear(called) > 32);
    Far calls;
    calls.greet("pair://a");
    for (int i = 0; i < 10; ++i)
        net.poll();
    CHECK(calls.hear() == 0);
    CHECK_FALSE(calls.over());
    called.say({Kind::welcome, 0, 0, 0, 0, 0});
    const std::size_t size = net.hear(called);
    CHECK(called.payload(size) == "hello");
    send.wait();
    CHECK(send.ret == NA_SUCCESS);
}

TEST_CASE("who calls again is welcome when the end of the life before has been read") {
    Fixture net;
    Far first;
    net.join(first, "pair://p");
    Far second;
    second.greet("pair://p");
    for (int i = 0; i < 10; ++i)
        net.poll();
    CHECK(second.hear() == 0);
    first.end();
    REQUIRE(net.hear(second) == 32);
    CHECK(second.frame().kind == Kind::welcome);
    Send send(net, "pair://p", "hello");
    const std::size_t size = net.hear(second);
    CHECK(second.payload(size) == "hello");
    send.wait();
}

TEST_CASE("what was meant for one life of a peer does not reach the next") {
    for (const char* name : {"pair://a", "pair://z"}) {
        Fixture net;
        expect_log("is gone: 1 operation(s)");
        Send send(net, name, "hello");
        Far dead(std::move(net.switchboard.called[name]));
        Far next;
        for (int i = 0; i < 10; ++i)
            net.poll();
        // The greeting is read before the end, which was first.
        next.greet(name);
        dead.end();
        REQUIRE(net.hear(next) == 32);
        CHECK(next.frame().kind == Kind::welcome);
        send.wait();
        CHECK(send.ret == NA_HOSTUNREACH);
        CHECK(next.hear() == 0);
    }
}
