// SPDX-License-Identifier: BSD-3-Clause
// A tcp net between its peers: hostile ones that speak raw bytes, slow ones, restarted ones, and
// none for want of descriptors. Through na.h, two nets in one process, each stepped by the test.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <deque>
#include <memory>
#include <random>

#include "na.h"
#include "na/base/file_descriptor.hpp"
#include "na/base/little_endian.hpp"
#include "na/sdk/ip.hpp"
#include "plugins/tcp/frame.hpp"
#include "plugins/tcp/memory.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar;
using namespace cinnabar::tcp;
using namespace cinnabar::test;
namespace {

struct Net {
    na_class_t* cls;
    na_context_t* context;
    explicit Net(const std::string& info = "na+tcp://127.0.0.1:0", bool listen = true)
        : cls(NA_Initialize(info.c_str(), listen)), context(NA_Context_create_sink(cls, 0)) {
        REQUIRE(context != nullptr);
    }
    ~Net() {
        CHECK(NA_Context_destroy(cls, context) == NA_SUCCESS);
        CHECK(NA_Finalize(cls) == NA_SUCCESS);
    }
    Net(const Net&) = delete;
    Net& operator=(const Net&) = delete;
    void poll() { REQUIRE(NA_Poll(cls, context, nullptr) == NA_SUCCESS); }
    std::string name() {
        na_addr_t* self = nullptr;
        REQUIRE(NA_Addr_self(cls, &self) == NA_SUCCESS);
        char text[256];
        std::size_t size = sizeof text;
        REQUIRE(NA_Addr_to_string(cls, text, &size, self) == NA_SUCCESS);
        NA_Addr_free(cls, self);
        return text;
    }
    na_addr_t* lookup(const std::string& peer) {
        na_addr_t* addr = nullptr;
        REQUIRE(NA_Addr_lookup(cls, peer.c_str(), &addr) == NA_SUCCESS);
        return addr;
    }
};

struct Op {
    na_class_t* cls;
    na_op_id_t* id;
    bool done = true;
    na_return_t ret = NA_SUCCESS;
    na_tag_t tag = 0;
    std::string source;
    explicit Op(Net& net) : cls(net.cls), id(NA_Op_create(cls, 0)) {}
    ~Op() { NA_Op_destroy(cls, id); }
    Op(const Op&) = delete;
    Op& operator=(const Op&) = delete;
    static void completed(const na_cb_info* info) {
        Op& op = *static_cast<Op*>(info->arg);
        op.ret = info->ret;
        if (info->type == NA_CB_RECV_UNEXPECTED) {
            op.tag = info->info.recv_unexpected.tag;
            if (info->ret == NA_SUCCESS) {
                char name[256];
                std::size_t size = sizeof name;
                na_addr_t* source = info->info.recv_unexpected.source;
                if (NA_Addr_to_string(op.cls, name, &size, source) == NA_SUCCESS) op.source = name;
                NA_Addr_free(op.cls, source);
            }
        }
        op.done = true;
    }
};

void send(Net& net, Op& op, na_addr_t* to, const void* bytes, std::size_t size, na_tag_t tag) {
    op.done = false;
    REQUIRE(NA_Msg_send_unexpected(net.cls, net.context, Op::completed, &op, bytes, size, nullptr,
                                   to, 0, tag, op.id) == NA_SUCCESS);
}

void receive(Net& net, Op& op, std::span<std::byte> into) {
    op.done = false;
    REQUIRE(NA_Msg_recv_unexpected(net.cls, net.context, Op::completed, &op, into.data(),
                                   into.size(), nullptr, op.id) == NA_SUCCESS);
}

template <class Until>
void step(Net& a, Net& b, Until&& until) {
    while (!until()) {
        a.poll();
        b.poll();
    }
}

// A message from client to server, to show that it still serves.
void check_serves(Net& server) {
    Net client("na+tcp://127.0.0.1", false);
    na_addr_t* addr = client.lookup(server.name());
    Op sent(client);
    Op got(server);
    std::array<std::byte, 16> buffer{};
    receive(server, got, buffer);
    send(client, sent, addr, "hello", 6, 77);
    step(client, server, [&] { return sent.done && got.done; });
    CHECK(sent.ret == NA_SUCCESS);
    CHECK(got.ret == NA_SUCCESS);
    CHECK(got.tag == 77);
    NA_Addr_free(client.cls, addr);
}

// Somebody with a socket who says what he wants.
struct Stranger {
    FileDescriptor fd;
    explicit Stranger(Net& server) {
        auto host = na::sdk::parse_host_part(server.name().substr(strlen("na+tcp://")));
        auto ip = na::sdk::parse_ip(host->host);
        sockaddr_storage storage{};
        const socklen_t length = ip->to_sockaddr(host->port, storage);
        fd.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
    }
    void say(std::span<const std::byte> bytes) {
        REQUIRE(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(bytes.size()));
    }
    void greet(std::uint16_t version = wire_version, std::uint8_t target = 0,
               bool listening = false, std::string_view name = "tcp://127.0.0.1:0#x",
               std::uint64_t incarnation = 99) {
        Greeting greeting;
        greeting.version = version;
        greeting.target_id = target;
        greeting.listening = listening;
        greeting.incarnation = incarnation;
        greeting.max_unexpected = greeting.max_expected = 4096;
        greeting.attempt = 1;
        greeting.name = name;
        std::array<std::byte, max_greeting_size> bytes;
        say(std::span(bytes).first(encode_greeting(greeting, bytes)));
    }
    // What the server says until it closes, or `most` bytes.
    std::vector<std::byte> hear(Net& server, std::size_t most) {
        std::vector<std::byte> bytes;
        while (bytes.size() < most) {
            server.poll();
            std::byte part[256];
            const ssize_t got =
                ::recv(fd.get(), part, std::min(sizeof part, most - bytes.size()), MSG_DONTWAIT);
            if (got == 0 || (got < 0 && errno == ECONNRESET)) break;
            if (got > 0) bytes.insert(bytes.end(), part, part + got);
        }
        return bytes;
    }
    Greeting hear_greeting(Net& server) {
        heard = hear(server, greeting_fixed_size);
        Greeting greeting;
        std::size_t used = 0;
        if (heard.size() < greeting_fixed_size) return greeting;
        const std::size_t name = load_le<std::uint16_t>(heard.data() + 48);
        const auto rest = hear(server, name);
        heard.insert(heard.end(), rest.begin(), rest.end());
        CHECK(decode_greeting(heard, greeting, used) == Parse::complete);
        greeted = greeting;
        return greeting;
    }
    std::vector<std::byte> heard;
    Greeting greeted;  // its name lies in `heard`
};

}  // namespace

TEST_CASE("bytes that are no greeting cost their sender the connection") {
    Net server;
    expect_log("not a greeting");
    std::mt19937 random(3);
    for (int round = 0; round < 20; ++round) {
        Stranger stranger(server);
        std::vector<std::byte> bytes(1 + random() % 500);
        for (std::byte& byte : bytes)
            byte = static_cast<std::byte>(random());
        if (bytes.size() < 4) bytes.resize(4);
        stranger.say(bytes);
        CHECK(stranger.hear(server, 1).empty());
    }
    {
        Stranger silent(server);
        Stranger cut(server);
        cut.say(std::array{std::byte{0x43}, std::byte{0x4e}});
        server.poll();
    }
    check_serves(server);
}

TEST_CASE("a greeting that cannot be accepted is answered with the reason") {
    Net server;
    expect_log("refused");
    const auto answer = [&](auto&&... arguments) {
        Stranger stranger(server);
        stranger.greet(arguments...);
        const Greeting greeting = stranger.hear_greeting(server);
        CHECK(greeting.kind == GreetingKind::reject);
        CHECK(stranger.hear(server, 1).empty());
        return static_cast<na_return_t>(greeting.code);
    };
    allow_log("malformed");
    CHECK(answer(std::uint16_t{2}) == NA_PROTOCOL_ERROR);
    CHECK(answer(wire_version, std::uint8_t{9}) == NA_ADDRNOTAVAIL);
    CHECK(answer(wire_version, std::uint8_t{0}, true, "elsewhere") == NA_PROTOCOL_ERROR);
    CHECK(answer(wire_version, std::uint8_t{0}, true, "tcp://0.0.0.0:1") == NA_PROTOCOL_ERROR);
    CHECK(answer(wire_version, std::uint8_t{0}, true, "tcp://1.2.3.4") == NA_PROTOCOL_ERROR);
    check_serves(server);
}

TEST_CASE("who claims the name of another host is not taken for it") {
    Net server;
    Stranger stranger(server);
    // A documentation address: nobody of this machine.
    stranger.greet(wire_version, 0, true, "tcp://192.0.2.1:7000");
    CHECK(stranger.hear_greeting(server).kind == GreetingKind::accept);
    Op got(server);
    std::array<std::byte, 16> buffer{};
    receive(server, got, buffer);
    Frame frame;
    frame.type = FrameType::unexpected;
    std::array<std::byte, frame_header_size> bytes;
    encode_frame(frame, bytes.data());
    stranger.say(bytes);
    while (!got.done)
        server.poll();
    CHECK(got.ret == NA_SUCCESS);  // it is served
    CHECK(got.source == "na+tcp://127.0.0.1:0#0000000000000063");
    // Nor is our own incarnation, which everybody is told, taken for ourselves.
    Stranger mirror(server);
    mirror.greet(wire_version, 0, true, server.name().substr(3), stranger.greeted.incarnation);
    expect_log("its name is not an address");
    CHECK(mirror.hear_greeting(server).kind == GreetingKind::reject);
    check_serves(server);
}

TEST_CASE("strangers who do not greet are limited, and others are served behind them") {
    Net server;
    allow_log("did not greet");
    std::deque<Stranger> strangers;
    for (std::size_t i = 0; i < options::max_greeters + 50; ++i) {
        strangers.emplace_back(server);
        server.poll();
    }
    const auto open = [&] {
        std::size_t count = 0;
        for (int fd = 0; fd < 4096; ++fd)
            count += ::fcntl(fd, F_GETFD) != -1;
        return count;
    };
    CHECK(open() < 2 * options::max_greeters + 50 + 30);
    check_serves(server);
}

TEST_CASE("the loss of a peer that is held up ends what waits for it") {
    Net server;
    Stranger stranger(server);
    stranger.greet();
    CHECK(stranger.hear_greeting(server).kind == GreetingKind::accept);
    Op got(server);
    std::array<std::byte, 16> buffer{};
    receive(server, got, buffer);
    Frame frame;
    frame.type = FrameType::unexpected;
    std::vector<std::byte> bytes(frame_header_size);
    encode_frame(frame, bytes.data());
    stranger.say(bytes);
    while (!got.done)
        server.poll();
    na_addr_t* source = server.lookup(got.source);
    Op expected(server);
    expected.done = false;
    REQUIRE(NA_Msg_recv_expected(server.cls, server.context, Op::completed, &expected,
                                 buffer.data(), buffer.size(), nullptr, source, 0, 1,
                                 expected.id) == NA_SUCCESS);
    // More than is kept for one who sends to nobody: the connection is not read any more.
    frame.payload_size = 4096;
    bytes.resize(frame_header_size + frame.payload_size);
    encode_frame(frame, bytes.data());
    for (std::size_t sent = 0; sent < options::stash_limit + 65536; sent += bytes.size()) {
        stranger.say(bytes);
        server.poll();
    }
    CHECK_FALSE(expected.done);
    expect_log("the peer closed the connection");
    stranger.fd.reset();
    while (!expected.done)
        server.poll();
    CHECK(expected.ret == NA_HOSTUNREACH);
    NA_Addr_free(server.cls, source);
}

TEST_CASE("a greeted peer that breaks the rules loses its connection only") {
    Net server;
    expect_log("the connection is closed");
    std::mt19937 random(4);
    for (int round = 0; round < 50; ++round) {
        Stranger stranger(server);
        stranger.greet();
        CHECK(stranger.hear_greeting(server).kind == GreetingKind::accept);
        std::vector<std::byte> bytes(64 + random() % 400);
        for (std::byte& byte : bytes)
            byte = static_cast<std::byte>(random() % 5);
        bytes[2] = std::byte{1};  // a reserved byte of the first frame
        stranger.say(bytes);
        CHECK(stranger.hear(server, 1).empty());
    }
    check_serves(server);
}

TEST_CASE("keys and ranges that were not given out reach no memory") {
    Net server;
    std::vector<std::byte> memory(1000);
    na_mem_handle_t* handle = nullptr;
    REQUIRE(NA_Mem_handle_create(server.cls, memory.data(), memory.size(), NA_MEM_READ_ONLY,
                                 &handle) == NA_SUCCESS);
    REQUIRE(NA_Mem_register(server.cls, handle, NA_MEM_TYPE_HOST, 0) == NA_SUCCESS);
    std::array<std::byte, tcp::Memory::serialized_size> serialised;
    REQUIRE(NA_Mem_handle_serialize(server.cls, serialised.data(), serialised.size(), handle) ==
            NA_SUCCESS);
    const auto key = load_le<std::uint64_t>(serialised.data() + 8);
    Stranger stranger(server);
    stranger.greet();
    CHECK(stranger.hear_greeting(server).kind == GreetingKind::accept);
    expect_log("is refused");
    const auto answer = [&](FrameType type, std::uint64_t of, std::uint64_t offset,
                            std::uint64_t length) {
        Frame frame;
        frame.type = type;
        frame.op = 5;
        frame.key = of;
        frame.offset = offset;
        frame.length = length;
        frame.payload_size = type == FrameType::put_data ? static_cast<std::uint32_t>(length) : 0;
        frame.flags = type == FrameType::put_data ? last_chunk : std::uint8_t{0};
        std::vector<std::byte> bytes(rma_header_size + frame.payload_size);
        encode_frame(frame, bytes.data());
        stranger.say(bytes);
        const auto heard = stranger.hear(server, rma_header_size);
        Frame got;
        REQUIRE(decode_frame(heard, FrameLimits{}, got) == Parse::complete);
        CHECK(got.type == FrameType::rma_end);
        CHECK(got.op == 5);
        return static_cast<na_return_t>(got.tag);
    };
    CHECK(answer(FrameType::get_request, key + 1, 0, 10) == NA_INVALID_ARG);
    CHECK(answer(FrameType::get_request, key, 0, 1001) == NA_INVALID_ARG);
    CHECK(answer(FrameType::get_request, key, ~std::uint64_t{0}, 2) == NA_INVALID_ARG);
    CHECK(answer(FrameType::get_request, key, 0, 0) == NA_INVALID_ARG);
    CHECK(answer(FrameType::put_data, key, 0, 10) == NA_PERMISSION);
    CHECK(answer(FrameType::put_data, key + 1, 0, 10) == NA_INVALID_ARG);
    CHECK(answer(FrameType::put_data, key, 995, 10) == NA_INVALID_ARG);
    NA_Mem_handle_free(server.cls, handle);
    CHECK(answer(FrameType::get_request, key, 0, 10) == NA_INVALID_ARG);
    check_serves(server);
}

TEST_CASE("messages that nobody receives hold their sender up and arrive later, in order") {
    Net server;
    Net client("na+tcp://127.0.0.1", false);
    na_addr_t* addr = client.lookup(server.name());
    const std::vector<std::byte> payload(4096);
    constexpr na_tag_t count = 8000;
    constexpr std::size_t window = 64;
    std::vector<std::unique_ptr<Op>> ops;
    for (std::size_t i = 0; i < window; ++i)
        ops.push_back(std::make_unique<Op>(client));
    na_tag_t sent = 0;
    const auto send_more = [&] {
        for (auto& op : ops)
            if (op->done && sent < count) {
                CHECK(op->ret == NA_SUCCESS);
                send(client, *op, addr, payload.data(), payload.size(), sent++);
            }
    };
    na_tag_t before = count + 1;
    for (int quiet = 0; quiet < 1000; quiet = sent == before ? quiet + 1 : 0) {
        before = sent;
        send_more();
        client.poll();
        server.poll();
    }
    CHECK(sent < count);  // the rest waits: buffers are bounded
    Op got(server);
    std::vector<std::byte> buffer(4096);
    for (na_tag_t tag = 0; tag < count; ++tag) {
        receive(server, got, buffer);
        step(client, server, [&] {
            send_more();
            return got.done;
        });
        REQUIRE(got.ret == NA_SUCCESS);
        REQUIRE(got.tag == tag);
    }
    step(client, server, [&] {
        for (auto& op : ops)
            if (!op->done) return false;
        return true;
    });
    NA_Addr_free(client.cls, addr);
}

TEST_CASE("a server that comes again under its address is served again") {
    auto server = std::make_unique<Net>();
    const std::string name = server->name();
    Net client("na+tcp://127.0.0.1", false);
    na_addr_t* addr = client.lookup(name);
    Op sent(client);
    std::array<std::byte, 16> buffer{};
    {
        Op got(*server);
        receive(*server, got, buffer);
        send(client, sent, addr, "one", 4, 1);
        step(client, *server, [&] { return sent.done && got.done; });
        CHECK(got.tag == 1);
    }
    server.reset();
    allow_log("Connection refused");
    allow_log("the connection is closed");
    for (na_return_t ret = NA_SUCCESS; ret == NA_SUCCESS; ret = sent.ret) {
        send(client, sent, addr, "lost", 5, 2);
        while (!sent.done)
            client.poll();
    }
    CHECK(sent.ret == NA_HOSTUNREACH);
    server = std::make_unique<Net>(name);
    REQUIRE(server->name() == name);
    {
        Op got(*server);
        receive(*server, got, buffer);
        send(client, sent, addr, "three", 6, 3);
        step(client, *server, [&] { return sent.done && got.done; });
        CHECK(sent.ret == NA_SUCCESS);
        CHECK(got.tag == 3);
    }
    NA_Addr_free(client.cls, addr);
}

TEST_CASE("memory deregistered while a peer reads it ends the peer's get") {
    Net server;
    Net client("na+tcp://127.0.0.1", false);
    na_addr_t* addr = client.lookup(server.name());
    std::vector<std::byte> source(64u << 20, std::byte{1});
    std::vector<std::byte> sink(source.size());
    na_mem_handle_t *owned = nullptr, *remote = nullptr, *local = nullptr;
    REQUIRE(NA_Mem_handle_create(server.cls, source.data(), source.size(), NA_MEM_READWRITE,
                                 &owned) == 0);
    REQUIRE(NA_Mem_register(server.cls, owned, NA_MEM_TYPE_HOST, 0) == 0);
    REQUIRE(NA_Mem_handle_create(client.cls, sink.data(), sink.size(), NA_MEM_READWRITE, &local) ==
            0);
    std::array<std::byte, 64> bytes;
    REQUIRE(NA_Mem_handle_serialize(server.cls, bytes.data(), bytes.size(), owned) == 0);
    REQUIRE(NA_Mem_handle_deserialize(client.cls, &remote, bytes.data(), bytes.size()) == 0);
    Op get(client);
    get.done = false;
    REQUIRE(NA_Get(client.cls, client.context, Op::completed, &get, local, 0, remote, 0,
                   sink.size(), addr, 0, get.id) == NA_SUCCESS);
    expect_log("deregistered while it was read");
    step(client, server, [&] { return sink[0] == std::byte{1}; });
    REQUIRE_FALSE(get.done);
    REQUIRE(NA_Mem_deregister(server.cls, owned) == NA_SUCCESS);
    step(client, server, [&] { return get.done; });
    CHECK(get.ret == NA_INVALID_ARG);
    for (na_mem_handle_t* handle : {remote, local})
        NA_Mem_handle_free(client.cls, handle);
    NA_Mem_handle_free(server.cls, owned);
    NA_Addr_free(client.cls, addr);
    check_serves(server);
}

TEST_CASE("without descriptors connections are refused, and accepted again later") {
    Net server;
    server.poll();
    std::deque<Stranger> strangers;
    rlimit limit{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
    strangers.emplace_back(server);
    strangers.emplace_back(server);
    const rlimit before = limit;
    limit.rlim_cur = static_cast<rlim_t>(strangers.back().fd.get()) + 1;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
    expect_log("no file descriptors are left");
    CHECK(strangers.back().hear(server, 1).empty());
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    strangers.clear();
    check_serves(server);
}
