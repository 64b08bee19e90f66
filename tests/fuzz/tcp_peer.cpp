// SPDX-License-Identifier: BSD-3-Clause
// A hostile peer of the tcp transport: any bytes, in pieces, over a socket of the loopback
// interface. The net must go on polling, deliver nothing larger than it offers, touch no memory but
// what is registered, and serve an honest peer afterwards. The lowest bit of the first byte: greet
// properly first. Eight bytes 'K' in the input stand for the key of registered memory.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "na.h"
#include "tests/fuzz/property.hpp"

using namespace cinnabar::fuzz;

namespace {

constexpr std::size_t message_room = 4096;
constexpr std::size_t memory_size = 64;

// A net with one context; opened once, never closed.
struct Net {
    na_class_t* cls = nullptr;
    na_context_t* context = nullptr;
    na_op_id_t* receive = nullptr;
    std::vector<char> buffer = std::vector<char>(message_room);
    bool receiving = false;
    std::string last;

    explicit Net(bool listen) {
        NA_Set_log_level("none");
        cls = NA_Initialize("tcp://127.0.0.1:0", listen);
        require(cls != nullptr);
        context = NA_Context_create(cls);
        receive = NA_Op_create(cls, NA_OP_SINGLE);
        require(context != nullptr && receive != nullptr);
        post();
    }
    void post() {
        receiving = NA_Msg_recv_unexpected(cls, context, on_message, this, buffer.data(),
                                           buffer.size(), nullptr, receive) == NA_SUCCESS;
        require(receiving);
    }
    static void on_message(const struct na_cb_info* info) {
        Net& net = *static_cast<Net*>(info->arg);
        net.receiving = false;
        if (info->ret != NA_SUCCESS) return;
        const na_cb_info_recv_unexpected& got = info->info.recv_unexpected;
        require(got.actual_buf_size <= message_room);
        net.last.assign(net.buffer.data(), got.actual_buf_size);
        NA_Addr_free(net.cls, got.source);
    }
    void poll() {
        unsigned count = 0;
        const na_return_t ret = NA_Poll(cls, context, &count);
        require(ret == NA_SUCCESS);
        require(NA_Trigger(context, 16, &count) == NA_SUCCESS);
        if (!receiving) post();
    }
};

// The net under attack, with memory between two guards that nobody may write.
struct Victim : Net {
    std::array<char, 3 * memory_size> memory{};
    na_mem_handle_t* handle = nullptr;
    std::uint64_t key = 0;
    std::string address;
    sockaddr_in socket_address{};

    Victim() : Net(true) {
        require(NA_Mem_handle_create(cls, memory.data() + memory_size, memory_size,
                                     NA_MEM_READWRITE, &handle) == NA_SUCCESS);
        require(NA_Mem_register(cls, handle, NA_MEM_TYPE_HOST, 0) == NA_SUCCESS);
        std::array<char, 64> serialised{};
        require(NA_Mem_handle_serialize(cls, serialised.data(), serialised.size(), handle) ==
                NA_SUCCESS);
        std::memcpy(&key, serialised.data() + 8, sizeof key);
        na_addr_t* self = nullptr;
        require(NA_Addr_self(cls, &self) == NA_SUCCESS);
        std::array<char, 128> text{};
        std::size_t size = text.size();
        require(NA_Addr_to_string(cls, text.data(), &size, self) == NA_SUCCESS);
        NA_Addr_free(cls, self);
        address = text.data();
        socket_address.sin_family = AF_INET;
        socket_address.sin_port =
            htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
        socket_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    void check() const {
        for (std::size_t i = 0; i < memory_size; ++i)
            require(memory[i] == 0 && memory[2 * memory_size + i] == 0);
    }
};

Victim& victim() {
    static Victim net;
    return net;
}

// A greeting of a peer that does not listen; plugins/tcp/README.md has the layout.
std::vector<std::uint8_t> greeting() {
    std::vector<std::uint8_t> bytes(64);
    const char head[] = {'C', 'N', 'B', 'N', 1, 0, 1};
    std::memcpy(bytes.data(), head, sizeof head);
    bytes[24] = 42;              // incarnation
    bytes[32] = 1;               // attempt
    bytes[41] = bytes[45] = 16;  // limits of 4096 bytes
    return bytes;
}

void put_key(std::vector<std::uint8_t>& bytes) {
    const std::vector<std::uint8_t> placeholder(8, 'K');
    for (auto at = bytes.begin();
         (at = std::search(at, bytes.end(), placeholder.begin(), placeholder.end())) != bytes.end();
         at += 8)
        std::memcpy(&*at, &victim().key, 8);
}

// Reads away what has come. False once the other end is gone.
bool drain(int socket) {
    std::array<char, 4096> answer;
    for (;;) {
        const ssize_t got = ::recv(socket, answer.data(), answer.size(), MSG_DONTWAIT);
        if (got <= 0) return got < 0 && errno == EAGAIN;
    }
}

void attack(Input& input) {
    const auto choices = input.take<std::uint8_t>();
    const std::size_t piece = 1 + (choices >> 1) * std::size_t{5};
    std::vector<std::uint8_t> bytes;
    if ((choices & 1) != 0) bytes = greeting();
    const auto rest = input.rest();
    bytes.insert(bytes.end(), rest.begin(), rest.end());
    put_key(bytes);

    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(socket >= 0);
    // Closing resets: no port is left waiting, however many attacks there are.
    const linger at_once{1, 0};
    (void)::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    require(::connect(socket, reinterpret_cast<const sockaddr*>(&victim().socket_address),
                      sizeof victim().socket_address) == 0);
    for (std::size_t sent = 0; sent < bytes.size();) {
        const std::size_t size = std::min(piece, bytes.size() - sent);
        const ssize_t put = ::send(socket, bytes.data() + sent, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put > 0) sent += static_cast<std::size_t>(put);
        victim().poll();
        if (!drain(socket)) break;
    }
    victim().poll();
    (void)drain(socket);
    ::close(socket);
    victim().poll();
}

// An honest peer's message arrives.
void serve() {
    static Net honest(false);
    static na_op_id_t* const op = NA_Op_create(honest.cls, NA_OP_SINGLE);
    static unsigned number = 0;
    static na_addr_t* const to = [] {
        na_addr_t* found = nullptr;
        require(NA_Addr_lookup(honest.cls, victim().address.c_str(), &found) == NA_SUCCESS);
        return found;
    }();
    const std::string text = "honest " + std::to_string(++number);
    bool done = false;
    const auto on_sent = [](const struct na_cb_info* info) {
        require(info->ret == NA_SUCCESS);
        *static_cast<bool*>(info->arg) = true;
    };
    require(NA_Msg_send_unexpected(honest.cls, honest.context, on_sent, &done, text.data(),
                                   text.size(), nullptr, to, 0, 1, op) == NA_SUCCESS);
    while (!done || victim().last != text) {
        honest.poll();
        victim().poll();
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static unsigned count = 0;
    Input input(data, size);
    (void)victim();
    attack(input);
    victim().check();
    if (++count % 16 == 0) serve();
    return 0;
}
