// SPDX-License-Identifier: BSD-3-Clause
// What strangers send: bytes on a tcp port that are no greeting, and messages of an NA program that
// are no requests. Their senders get an error or lose their connection; everybody else is served.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <random>
#include <span>

#include "tests/integration/peer.hpp"
#include "tests/integration/rogue.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::integration;
using cinnabar::test::allow_log;

namespace {

class Stranger {
public:
    explicit Stranger(const std::string& address) {
        const std::size_t colon = address.rfind(':');
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    }
    Stranger(const Stranger&) = delete;
    ~Stranger() { (void)::close(fd_); }
    void send(const std::string& bytes) {
        (void)::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    // What it is sent until the other side closes.
    std::string read_to_end() {
        std::string result;
        char chunk[4096];
        for (ssize_t size; (size = ::recv(fd_, chunk, sizeof chunk, 0)) > 0;)
            result.append(chunk, static_cast<std::size_t>(size));
        return result;
    }
    std::string read_some() {
        char chunk[4096];
        const ssize_t size = ::recv(fd_, chunk, sizeof chunk, 0);
        return size > 0 ? std::string(chunk, static_cast<std::size_t>(size)) : std::string();
    }

private:
    int fd_ = -1;
};

std::string random_bytes(std::size_t size, unsigned seed) {
    std::mt19937 random(seed);
    std::string bytes(size, '\0');
    for (char& byte : bytes)
        byte = static_cast<char>(random());
    return bytes;
}

// The bytes that a program of ours begins with when it connects.
std::string good_greeting() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof here;
    REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&here), sizeof here) == 0);
    REQUIRE(::listen(listener, 4) == 0);
    REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&here), &length) == 0);
    std::string greeting;
    {
        SideOptions options;
        options.listen = false;
        Side side(setup_named("tcp"), options);
        const hg_id_t id = side.add("null", nullptr, nullptr);
        const Address to = side.lookup("tcp://127.0.0.1:" + std::to_string(ntohs(here.sin_port)));
        Call call(side, to, id);
        REQUIRE(call.forward() == HG_SUCCESS);
        const int accepted = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        REQUIRE(accepted >= 0);
        char chunk[4096];
        ssize_t size = -1;
        while ((size = ::recv(accepted, chunk, sizeof chunk, 0)) < 0)
            side.step();
        greeting.assign(chunk, static_cast<std::size_t>(size));
        (void)::close(accepted);
        side.wait([&] { return call.done(); });
        CHECK(call.ret() == HG_HOSTUNREACH);
    }
    (void)::close(listener);
    return greeting;
}

}  // namespace

TEST_CASE("a tcp server closes on strangers and serves on") {
    allow_log("");
    const std::string greeting = good_greeting();
    REQUIRE(greeting.size() > 8);
    for (const Setup* setup : peer_setups()) {
        if (!setup->tcp()) continue;
        CAPTURE(std::string(setup->name));
        Peer server(*setup);
        Side side(*setup);
        const Offers offers(side);
        const Address to = side.lookup(server.address());
        REQUIRE(echo(side, to, offers, 100) == HG_SUCCESS);
        const int before = server.descriptors();
        for (unsigned i = 0; i < 20; ++i) {
            Stranger stranger(server.address());
            stranger.send(random_bytes(1 + i * i * 50, i));
            if (i > 3) (void)stranger.read_to_end();
            REQUIRE(echo(side, to, offers, 100) == HG_SUCCESS);
        }
        for (std::size_t size = 0; size < greeting.size(); size += 7) {
            Stranger stranger(server.address());
            stranger.send(greeting.substr(0, size));
        }
        for (unsigned i = 0; i < 20; ++i) {
            Stranger stranger(server.address());
            stranger.send(greeting);
            (void)stranger.read_some();
            stranger.send(random_bytes(4096, i));
            (void)stranger.read_to_end();
            REQUIRE(echo(side, to, offers, 100000) == HG_SUCCESS);
        }
        for (int i = 0; i < 300; ++i)
            const Stranger stranger(server.address());
        REQUIRE(echo(side, to, offers, 100000) == HG_SUCCESS);
        while (server.descriptors() > before)
            REQUIRE(echo(side, to, offers, 10) == HG_SUCCESS);
        CHECK(server.descriptors() == before);
        server.end();
    }
}

namespace {

std::uint32_t word_at(const char* bytes) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    return word;
}

// Sends the bytes as a request under a tag, and gives the code that the response carries.
int ask(Rogue& rogue, na_addr_t* to, const std::string& bytes, na_tag_t tag) {
    Message out(rogue, bytes.size(), true);
    Message in(rogue,
               NA_Msg_get_max_expected_size(rogue.cls) - NA_Msg_get_expected_header_size(rogue.cls),
               false);
    std::memcpy(out.payload(), bytes.data(), bytes.size());
    REQUIRE(NA_Msg_recv_expected(rogue.cls, rogue.context, Message::take, &in, in.buffer, in.size,
                                 in.plugin_data, to, 0, tag, in.op) == NA_SUCCESS);
    REQUIRE(NA_Msg_send_unexpected(rogue.cls, rogue.context, Message::take, &out, out.buffer,
                                   out.size, out.plugin_data, to, 0, tag, out.op) == NA_SUCCESS);
    while (in.ended == 0 || out.ended == 0)
        rogue.step();
    REQUIRE(in.ret == NA_SUCCESS);
    REQUIRE(out.ret == NA_SUCCESS);
    // Of the response: u16 magic, u8 version, u8 flags, u32 payload size, i32 code, 12 bytes that
    // are zero without checksums.
    REQUIRE(in.received >= in.header + 24);
    const auto code = static_cast<int>(word_at(in.payload() + 8));
    // An error is this header and nothing that the server did not write.
    if (code != HG_SUCCESS) {
        CHECK(in.received == in.header + 24);
        CHECK(std::string(in.payload() + 3, 5) == std::string(5, '\0'));
        CHECK(std::string(in.payload() + 12, 12) == std::string(12, '\0'));
    }
    return code;
}

// A request: u16 magic, u8 version, u8 flags, u32 payload size, u64 id, and 24 bytes more.
std::string request(std::uint64_t id, std::size_t payload = 0) {
    std::string bytes(40 + payload, '\0');
    bytes[0] = 0x43;
    bytes[1] = 0x51;
    bytes[2] = 1;
    const auto size = static_cast<std::uint32_t>(payload);
    std::memcpy(bytes.data() + 4, &size, sizeof size);
    std::memcpy(bytes.data() + 8, &id, sizeof id);
    return bytes;
}

}  // namespace

CINNABAR_INTEGRATION("messages that are no requests are answered with what is wrong", peer_setups) {
    allow_log("");
    Peer server(setup);
    Side side(setup);
    const Offers offers(side);
    const Address address = side.lookup(server.address());
    {
        Rogue rogue(setup);
        na_addr_t* to = nullptr;
        // Through the net that both have.
        const std::string name = server.address().substr(server.address().rfind('#') + 1);
        REQUIRE(NA_Addr_lookup(rogue.cls, name.c_str(), &to) == NA_SUCCESS);
        CHECK(ask(rogue, to, request(offers.null), 1) == HG_SUCCESS);
        CHECK(ask(rogue, to, request(0x1234567812345678), 2) == HG_NOENTRY);
        CHECK(ask(rogue, to, "", 3) == HG_PROTOCOL_ERROR);
        CHECK(ask(rogue, to, "x", 4) == HG_PROTOCOL_ERROR);
        CHECK(ask(rogue, to, request(offers.null).substr(0, 39), 5) == HG_PROTOCOL_ERROR);
        CHECK(ask(rogue, to, random_bytes(200, 5), 6) == HG_PROTOCOL_ERROR);
        std::string bytes = request(offers.null);
        bytes[2] = 2;
        CHECK(ask(rogue, to, bytes, 7) == HG_PROTONOSUPPORT);
        bytes = request(offers.null);
        bytes[3] = '\x40';
        CHECK(ask(rogue, to, bytes, 8) == HG_PROTONOSUPPORT);
        bytes = request(offers.echo, 100);
        bytes[4] = 101;
        CHECK(ask(rogue, to, bytes, 9) == HG_PROTOCOL_ERROR);
        bytes[7] = '\xff';
        CHECK(ask(rogue, to, bytes, 10) == HG_PROTOCOL_ERROR);
        // "The payload is elsewhere", and the description of it is rubbish.
        for (const std::size_t size : {0, 4, 8, 9, 40, 200})
            for (unsigned seed = 0; seed < 20; ++seed) {
                bytes = request(offers.echo, size);
                bytes[3] = 1;
                bytes.replace(40, size, random_bytes(size, seed));
                CHECK(ask(rogue, to, bytes, 11) != HG_SUCCESS);
            }
        // Arguments that are not what the procedure takes.
        bytes = request(offers.echo, 8) + "";
        bytes.replace(40, 8, "\xff\xff\xff\xff\xff\xff\xff\xff");
        CHECK(ask(rogue, to, bytes, 12) == HG_OVERFLOW);
        for (unsigned seed = 0; seed < 50; ++seed) {
            bytes = request(offers.pull, 100);
            bytes.replace(40, 100, random_bytes(100, seed));
            CHECK(ask(rogue, to, bytes, 13) != HG_SUCCESS);
        }
        CHECK(ask(rogue, to, request(offers.null), 14) == HG_SUCCESS);
        REQUIRE(echo(side, address, offers, 100000) == HG_SUCCESS);
        // One-way rubbish has nobody to tell.
        for (unsigned i = 0; i < 50; ++i) {
            bytes = i % 2 == 0 ? random_bytes(100, i) : request(offers.echo, 20);
            bytes[3] = 3;
            Message out(rogue, bytes.size(), true);
            std::memcpy(out.payload(), bytes.data(), bytes.size());
            REQUIRE(NA_Msg_send_unexpected(rogue.cls, rogue.context, Message::take, &out,
                                           out.buffer, out.size, out.plugin_data, to, 0, 100 + i,
                                           out.op) == NA_SUCCESS);
            while (out.ended == 0)
                rogue.step();
        }
        REQUIRE(echo(side, address, offers, 100000) == HG_SUCCESS);
        NA_Addr_free(rogue.cls, to);
    }
    REQUIRE(echo(side, address, offers, 100000) == HG_SUCCESS);
    server.end();
}

namespace {

// The parts of this process that it shares with its peers.
std::vector<std::span<unsigned char>> shared_mappings() {
    std::vector<std::span<unsigned char>> found;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        if (line.find("rw-s") == std::string::npos || line.find("/memfd:") == std::string::npos)
            continue;
        const std::size_t dash = line.find('-');
        const std::uintptr_t begin = std::stoull(line, nullptr, 16);
        const std::uintptr_t end = std::stoull(line.substr(dash + 1), nullptr, 16);
        found.emplace_back(reinterpret_cast<unsigned char*>(begin), end - begin);
    }
    return found;
}

// Overwrites words here and there, with small numbers, which look like indices and lengths, or
// large ones; or everything.
void scribble(std::span<unsigned char> memory, std::mt19937_64& random, bool everything) {
    const std::size_t words = memory.size() / 8;
    for (std::size_t i = 0; i < (everything ? words : words / 16); ++i) {
        const std::uint64_t word = random() >> (random() % 64);
        std::memcpy(memory.data() + (everything ? i : random() % words) * 8, &word, sizeof word);
    }
}

// Writes what looks like the next message behind the last one of a ring, of any kind and size. A
// ring has slots of 128 bytes, which begin with the number of their message and, in the next word,
// its size and kind.
void forge(std::span<unsigned char> memory, std::mt19937_64& random) {
    constexpr std::size_t slot_size = 128;
    constexpr std::uint32_t most = 100000;
    const auto number_at = [&](std::size_t at) {
        std::uint32_t number = 0;
        std::memcpy(&number, memory.data() + at, sizeof number);
        return number;
    };
    for (std::size_t at = 0; at + 2 * slot_size <= memory.size(); at += slot_size) {
        const std::uint32_t number = number_at(at);
        if (number == 0 || number > most || number_at(at + slot_size) == number + 1) continue;
        const std::uint64_t size = (random() & 0xffffffff) >> (random() % 32);
        const std::uint64_t about = size | (random() % 16) << 32;
        const std::uint64_t stamp = (number + 1) | (random() & 0xffff) << 32;
        std::memcpy(memory.data() + at + slot_size + 8, &about, sizeof about);
        std::memcpy(memory.data() + at + slot_size, &stamp, sizeof stamp);
    }
}

}  // namespace

// Connects as a good client does, calls once, and then scribbles over what it shares.
CINNABAR_ROLE(scribbler) {
    allow_log("");
    const unsigned seed = static_cast<unsigned>(std::stoul(arguments.at(2)));
    std::mt19937_64 random(seed);
    {
        SideOptions options;
        options.listen = false;
        Side side(setup_named(arguments.at(0)), options);
        const Offers offers(side);
        const Address to = side.lookup(arguments.at(1));
        if (echo(side, to, offers, 100) != HG_SUCCESS) return 1;
        const auto mappings = shared_mappings();
        if (mappings.empty()) return 2;
        // Kept calls leave operations of both sides on the connection that is spoilt.
        Blob in(100, 0);
        Call kept(side, to, offers.keep);
        (void)kept.forward(&in);
        for (int round = 0; round < 20; ++round)
            for (const auto& memory : mappings) {
                if (seed % 2 == 0)
                    forge(memory, random);
                else
                    scribble(memory, random, seed % 4 == 3);
            }
        // A call after that: rings a server that sleeps.
        Call call(side, to, offers.echo);
        (void)call.forward(&in);
        cinnabar::test::say("scribbled");
        // No tidy end: it ends as a broken program does.
        (void)cinnabar::test::hear();
        ::_exit(0);
    }
}

TEST_CASE("a sm client that scribbles over the ring loses its connection, others are served") {
    allow_log("");
    for (const Setup* setup : peer_setups()) {
        if (std::string(setup->info).find("sm") == std::string::npos) continue;
        CAPTURE(std::string(setup->name));
        Peer server(*setup);
        Side side(*setup);
        const Offers offers(side);
        const Address to = side.lookup(server.address());
        REQUIRE(echo(side, to, offers, 100) == HG_SUCCESS);
        const int before = server.descriptors();
        for (unsigned seed = 0; seed < 16; ++seed) {
            CAPTURE(seed);
            cinnabar::test::Process rogue("scribbler",
                                          {setup->name, server.address(), std::to_string(seed)});
            REQUIRE(rogue.listen() == "scribbled");
            REQUIRE(echo(side, to, offers, 100000) == HG_SUCCESS);
            rogue.finish();
            CHECK(rogue.wait() == 0);
            REQUIRE(echo(side, to, offers, 100) == HG_SUCCESS);
        }
        while (server.descriptors() > before)
            REQUIRE(echo(side, to, offers, 10) == HG_SUCCESS);
        CHECK(server.descriptors() == before);
        server.end();
    }
}
